"""What Functions of public packages do that ours do not, and that is no mistake of theirs."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import assert_right, assert_wrong, causes, normal, of_x
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import InputError, crosscheck

X = normal(4, 3)


Sine = of_x(torch.sin, lambda grad_y, x: grad_y * torch.cos(x))


def test_an_output_whose_shape_the_values_decide() -> None:
    @gradients_of(lambda x: x[x > 0] ** 2)
    def Positive(grad_y, x):
        """The entries above 0, as a rank or a selection depends on the values."""
        return torch.zeros_like(x).masked_scatter(x > 0, grad_y * 2 * x[x > 0])

    for reference in (Positive.forward, None):
        assert_right(Positive, reference, (X,))


def test_an_output_whose_memory_backward_gives_back() -> None:
    class Frees(Sine):
        """As a reversible block does: the next one has computed its input from its output."""

        @staticmethod
        def setup_context(ctx, inputs, output):
            Rule.setup_context(ctx, inputs, output)
            ctx.output = output.detach()  # the memory, without the graph

        @staticmethod
        def backward(ctx, grad_y):
            ctx.output.untyped_storage().resize_(0)
            (x,) = ctx.saved_tensors
            return grad_y * torch.cos(x)

    (finding,) = crosscheck(Frees, torch.sin, (X,)).findings
    assert finding.cause == "mutates-saved"
    assert "is freed" in finding.evidence
    meant = {"mutates-saved": "the next block holds what it was computed from"}
    assert_right(Frees, torch.sin, (X,), expect=meant)


def test_a_backward_that_refuses_grad() -> None:
    """Checkpointing that runs its part again with `backward` says so, and is judged by that."""

    def checkpointed(x: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(torch.sin, x, use_reentrant=True)

    assert_right(checkpointed, torch.sin, (X,))
    assert "forward-wrong" in causes(crosscheck(checkpointed, torch.cos, (X,)))


def test_no_backward_is_called_where_the_outputs_are_no_numbers() -> None:
    called = []

    @gradients_of(lambda x: x / (x.shape[0] - 1))
    def Indexes(grad_y, x):
        """A gradient that looks up places, which NaN is none of."""
        called.append(bool(torch.isfinite(x / (x.shape[0] - 1)).all()))
        return grad_y / (x.shape[0] - 1)

    for reference in (Indexes.forward, None):
        assert_right(Indexes, reference, (X,))
    assert called
    assert all(called)


def test_infinite_inputs_are_for_what_has_a_limit_there() -> None:
    seen: list[bool] = []

    def looks(x: Tensor) -> Tensor:
        """Who indexes with what arrives may end the process, though the output has a limit."""
        seen.append(bool(torch.isinf(x).any()))
        return torch.atan(x)

    assert_right(of_x(looks, lambda grad_y, x: grad_y / (1 + x * x)), torch.atan, (X,))
    assert seen
    assert not any(seen)


def test_at_infinite_inputs_a_gradient_that_is_no_number_is_wrong() -> None:
    @gradients_of(lambda x: x.softmax(-1))
    def Softmax(grad_y, x):
        y = x.softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)) + 0 * x

    report = crosscheck(Softmax, lambda x: x.softmax(-1), (X,))
    assert set(causes(report)) == {"not-finite"}
    assert all("an entry of −∞" in finding.at for finding in report.findings)


def test_at_infinite_inputs_the_forward_need_not_agree() -> None:
    exponential = of_x(lambda x: torch.exp(x) + 0 * x, lambda grad_y, x: grad_y * torch.exp(x))
    assert_right(exponential, torch.exp, (X,))


def test_inputs_that_hold_up_to_rounding_in_float32() -> None:
    def turned(turn, p):
        """By an angle whose sine and cosine are given: c² + s² = 1 up to rounding."""
        c, s = turn
        return torch.stack([c * p[0] - s * p[1], s * p[0] + c * p[1]])

    @gradients_of(turned)
    def Rotation(grad_y, turn, p):
        c, s = turn
        grad_p = torch.stack([c * grad_y[0] + s * grad_y[1], c * grad_y[1] - s * grad_y[0]])
        grad_turn = torch.stack([(grad_y * p).sum(), grad_y[1] @ p[0] - grad_y[0] @ p[1]])
        return grad_turn, grad_p / (c * c + s * s)  # by the inverse, which is the transpose

    def on_the_circle(turn, p):
        return turn.square().sum() > 0.999999 and turn.square().sum() < 1.000001

    turn = torch.stack([torch.tensor(0.7).cos(), torch.tensor(0.7).sin()])
    assert_right(Rotation, turned, (turn, normal(2, 5).float()), domain=on_the_circle)
    off = (turn * 1.001).double()
    assert_wrong(Rotation, turned, (off, normal(2, 5)), vary=False)


def test_the_error_of_what_is_approximate_is_not_held_to_another_scale() -> None:
    @gradients_of(lambda x: x * x / 2)
    def Absolute(grad_y, x):
        """x² / 2 with a slope that is right to 1e-6 whatever the size of x is, as a solver's."""
        return grad_y * (x + 1e-6)

    assert_right(Absolute, Absolute.forward, (X,), tolerance=1e-4)
    assert_wrong(Absolute, Absolute.forward, (X,), tolerance=1e-9)


def test_inputs_whose_memory_was_freed_are_refused() -> None:
    x = torch.randn(5, 3)
    x.untyped_storage().resize_(0)
    with pytest.raises(InputError, match="the memory of input0 has been freed"):
        crosscheck(torch.sin, inputs=(x,))


class WritesIntoItsInputs(torch.autograd.Function):
    """Spoils the mask, which has no gradient, as a buffer that is used up."""

    @staticmethod
    def forward(ctx, x, mask):
        ctx.kept = mask.clone()
        y = x * mask
        mask.fill_(7.0)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.kept, None


class FreesItsInputs(WritesIntoItsInputs):
    """As reversible blocks do."""

    @staticmethod
    def forward(ctx, x, mask):
        y = WritesIntoItsInputs.forward(ctx, x, mask)
        mask.untyped_storage().resize_(0)
        return y


@pytest.mark.parametrize("function", [WritesIntoItsInputs, FreesItsInputs])
@pytest.mark.parametrize("reference", [None, lambda x, mask: x * mask], ids=["alone", "beside"])
def test_what_a_forward_spoils_is_not_the_users(function, reference) -> None:
    x, mask = normal(5, 3), torch.tensor([1.0, 0.0, 2.0]).double()
    before = x.clone()
    crosscheck(function, reference, (x, mask), wrt=["x"])
    assert mask.untyped_storage().size() > 0  # to read a freed one would end the process
    assert mask.tolist() == [1.0, 0.0, 2.0]
    assert torch.equal(x, before)
