"""A whole module against its twin: its parameters by name, and its state untouched."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tests.checker.given import assert_right, assert_wrong, causes, normal, seeded
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import InputError, crosscheck
from torchref.ops import Affine

ROWS = 7


class Deep(nn.Module):
    """Ten layers: 20 parameters, and batch norm's buffers."""

    def __init__(self, linear: type[nn.Module]) -> None:
        super().__init__()
        sizes = [5, 4, 6, 3, 7, 4, 5, 3, 6, 4]
        self.layers = nn.ModuleList(linear(i, o) for i, o in pairwise(sizes))
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.norm(x)


class HandLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return Affine.call(x, self.weight, self.bias)


class ForgetfulLinear(nn.Linear):
    """The fourth layer's bias has a gradient of its first row alone."""

    def forward(self, x: Tensor) -> Tensor:
        if self.in_features != 3 or self.out_features != 7:
            return Affine.call(x, self.weight, self.bias)
        first = self.bias - self.bias.detach()
        mask = torch.zeros(len(x), 1, dtype=x.dtype, device=x.device)
        mask[0] = 1
        return F.linear(x, self.weight, self.bias.detach()) + first * mask


def deep_twins(linear: type[nn.Module]) -> tuple[Deep, Deep]:
    torch.manual_seed(3)
    twin = Deep(nn.Linear)
    candidate = Deep(linear)
    candidate.load_state_dict(twin.state_dict())
    return candidate, twin


@pytest.mark.slow
def test_one_wrong_parameter_of_20_is_named() -> None:
    candidate, twin = deep_twins(ForgetfulLinear)
    report = crosscheck(candidate, twin, (normal(ROWS, 5),))
    assert {finding.argument for finding in report.findings} == {"layers.3.bias"}, str(report)


def test_a_right_module_of_20_keeps_its_gradients_parameters_and_buffers() -> None:
    candidate, twin = deep_twins(HandLinear)
    assert len(list(candidate.parameters())) == 20
    candidate(normal(ROWS, 5).float()).sum().backward()
    kept = [p.grad.clone() for p in candidate.parameters()]
    state = {name: value.clone() for name, value in candidate.state_dict().items()}
    assert_right(candidate, twin, (normal(ROWS, 5),))
    torch.testing.assert_close([p.grad for p in candidate.parameters()], kept, rtol=0, atol=0)
    torch.testing.assert_close(dict(candidate.state_dict()), state, rtol=0, atol=0)
    assert all(p.grad is None for p in twin.parameters())
    assert candidate.training


class Block(nn.Module):
    """Two layers, of which a subclass may run the first again in backward."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)

    def inner(self, x):
        return torch.tanh(self.first(x))

    def forward(self, x):
        return self.second(self.inner(x))


class Checkpointed(Block):
    def forward(self, x):
        return self.second(checkpoint(self.inner, x, use_reentrant=False))


class InnerAgain(torch.autograd.Function):
    """Accumulates into the parameters by a backward of its own, as reversible blocks do."""

    @staticmethod
    def forward(ctx, x, block):
        ctx.block = block
        ctx.save_for_backward(x)
        return block.inner(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            y = ctx.block.inner(x)
        torch.autograd.backward(y, ctx.block.factor * grad_y)
        return x.grad, None


class Reversible(Block):
    factor = 1

    def forward(self, x):
        return self.second(InnerAgain.apply(x if x.requires_grad else x.requires_grad_(), self))


class Halved(Reversible):
    factor = 0.5


def with_a_plain_twin(block: Block) -> tuple[Block, Block]:
    plain = Block()
    plain.load_state_dict(block.state_dict())
    return block, plain


@pytest.mark.parametrize("again", [Checkpointed, Reversible])
def test_a_module_that_runs_itself_again_in_backward(again: type[Block]) -> None:
    block, plain = with_a_plain_twin(again())
    assert_right(block, plain, (normal(4, 3),))
    assert all(p.grad is None and p.dtype == torch.float32 for p in block.parameters())


class BuffersAlone(nn.Module):
    """No parameters, and a buffer of float32 that its backward meets again."""

    factor: float = 1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", normal(3, 5).float())

    def inner(self, x):
        return torch.tanh(x @ self.weight)

    def forward(self, x):
        x = x[0] if isinstance(x, list) else x
        return InnerAgain.apply(x if x.requires_grad else x.requires_grad_(), self)


@pytest.mark.parametrize("x", [normal(4, 3), [normal(4, 3)]], ids=["a tensor", "in a list"])
def test_buffers_are_in_the_precision_of_the_inputs_in_backward_too(x) -> None:
    report = assert_right(BuffersAlone(), None, (x,))
    assert not [note for note in report.notes if "float64" in note]
    half = BuffersAlone()
    half.factor = 0.5
    assert_wrong(half, None, (x,))


def test_a_mistake_in_what_it_runs_again_is_seen() -> None:
    report = crosscheck(*with_a_plain_twin(Halved()), (normal(4, 3),))
    assert set(causes(report)) == {"constant-factor"}


def test_gradients_of_other_leaves_stay_as_they_were() -> None:
    outside = torch.ones(3, dtype=torch.float64, requires_grad=True)
    outside.grad = torch.full((3,), 7.0, dtype=torch.float64)

    class Closing(Block):
        def forward(self, x):
            return super().forward(x * outside)

    assert_right(Closing(), None, (normal(4, 3),))
    assert outside.grad.tolist() == [7, 7, 7]


@gradients_of(lambda x, slope: x.clone())
def Slope(grad_y, x, slope):
    return slope * grad_y, None


class Scaled(nn.Module):
    """A buffer keeps the digits of float32, which its reference's literal has not."""

    def __init__(self, slope: float = 1.0) -> None:
        super().__init__()
        self.slope = slope
        self.register_buffer("scale", torch.tensor(0.11))

    def forward(self, x):
        return Slope.apply(x.sin(), self.slope) * self.scale


def test_a_constant_of_float32_is_no_other_formula() -> None:
    x = torch.randn(4, 3, generator=seeded(0))
    report = assert_right(Scaled(), lambda x: 0.11 * x.sin(), (x,))
    assert any("agree in the dtype given" in note for note in report.notes)
    assert not report.findings
    assert_wrong(Scaled(slope=1.001), lambda x: 0.11 * x.sin(), (x,))
    other = crosscheck(Scaled(), lambda x: 0.1100001 * x.sin(), (x,))
    assert other.findings[0].cause == "forward-wrong"


class Wrapped(torch.nn.Module):
    """A linear layer whose parameters have other names than its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x)


def test_a_reference_has_the_parameters_of_the_candidate_by_their_names() -> None:
    told = r"Linear has weight, bias, and Wrapped layer.weight, layer.bias\."
    with pytest.raises(InputError, match=told):
        crosscheck(Wrapped(), torch.nn.Linear(3, 2), (normal(4, 3),))
    assert_right(Wrapped(), Wrapped(), (normal(4, 3),))


def test_a_reference_alone_with_parameters_has_them_in_the_dtype_that_is_checked() -> None:
    layer = torch.nn.Linear(3, 2)

    def candidate(x):
        return x @ layer.weight.detach().to(x.dtype).T + layer.bias.detach().to(x.dtype)

    assert_right(candidate, layer, (normal(4, 3).float(),))
