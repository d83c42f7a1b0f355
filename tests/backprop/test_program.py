"""The lines of a program, and the memory that they write into."""

import gc
import re
from collections.abc import Callable
from itertools import accumulate

import pytest
import torch
from torch import Tensor

from tests.backprop.steps import assert_step_is_right, grad_of, problem
from torchref import nn
from torchref.backprop import Backprop, correspond
from torchref.backprop.allot import House, Tenancy
from torchref.backprop.program import Program
from torchref.errors import InputError
from torchref.ops import Op


class AddTwice(Op):
    """y = x + first + second, whose two gradients are the same numbers."""

    @staticmethod
    def forward(x, first, second):
        return x + first + second

    @staticmethod
    def setup_context(ctx, inputs, _):
        ctx.shape = inputs[2].shape

    @staticmethod
    def backward(ctx, grad_y):
        both = grad_y.sum(0)
        return grad_y, both, both.reshape(ctx.shape)


class TwoBiases(nn.Module):
    """A layer that computes `AddTwice`."""

    def __init__(self, second: tuple[int, ...]) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.rand(3).double())
        self.second = nn.Parameter(torch.rand(second).double())

    def forward(self, input: Tensor) -> Tensor:
        return input + self.first + self.second


@pytest.mark.parametrize("second", [(3,), (1, 3)])
def test_gradients_of_the_same_numbers_have_each_their_memory(second: tuple[int, ...]) -> None:
    correspond(TwoBiases, AddTwice, "first", "second")
    network = nn.Sequential(TwoBiases(second), nn.Sigmoid())
    step = Backprop(network, nn.MSELoss())
    for seed in range(2):
        torch.manual_seed(seed)
        x, target = torch.rand(5, 3).double(), torch.rand(5, 3).double()
        step(x, target)
        expected = torch.autograd.grad(nn.MSELoss()(network(x), target), [*network.parameters()])
        for parameter, gradient in zip(network.parameters(), expected, strict=True):
            torch.testing.assert_close(grad_of(parameter), gradient.view_as(grad_of(parameter)))
    first, *others = (grad_of(parameter).data_ptr() for parameter in network.parameters())
    assert first not in others


def test_a_layer_that_mixes_dtypes_is_refused() -> None:
    """Its gradients would not fit its parameters."""
    correspond(TwoBiases, AddTwice, "first", "second")
    network, x = nn.Sequential(TwoBiases((3,)).float()), torch.rand(5, 3).double()
    with pytest.raises(InputError, match="same dtype and device, but there are"):
        Backprop(network, nn.MSELoss())(x, x)


def test_a_step_writes_only_what_a_gradient_needs_and_each_thing_once() -> None:
    network, loss, x, target = problem()
    source = Backprop(network, loss).source(x, target)
    assert source is not None
    calls = [line.split("(")[0].split()[-1] for line in source.splitlines()[2:-1]]
    # Two layers forward; back, ∂L/∂W of both and ∂L/∂a of one, and ŷ (1 − ŷ) once for the
    # log loss and the sigmoid together.
    assert calls.count("mm") == 2 + 2 + 1
    assert calls.count("sigmoid") == 2
    assert calls.count("sum") == 2
    assert source.count("sub(") == 1 + 2


def test_memory_that_is_shared_too_eagerly_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_at_the_start(house: House, _: Tenancy) -> int | None:
        return 0 if house.until == float("inf") else None

    monkeypatch.setattr(House, "offset_for", all_at_the_start)
    network, loss, x, target = problem()
    with pytest.raises(AssertionError):
        assert_step_is_right(Backprop(network, loss), network, loss, x, target)


def test_nothing_is_written_over_what_a_view_still_reads() -> None:
    """y could give its place to y + yᵀ, if yᵀ were not y too."""

    def sweep(x: Tensor, target: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        y = x * target
        return (y + y.T).square().sum(), {}

    x, target = torch.rand(7, 7), torch.rand(7, 7)
    program = Program(sweep, x, target, {}, {})
    assert torch.equal(program.run(x, target), sweep(x, target)[0])


def test_gradients_lend_their_memory_until_they_are_computed() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((64, 64, 64))
    step = Backprop(network, nn.SquaredError())
    x, target = torch.rand(8, 64), torch.rand(8, 64)
    step(x, target)
    lenders = {grad_of(p).untyped_storage().data_ptr() for p in network.parameters()}
    names = step._unrolled(x, target).program.run.__globals__
    buffers = [x for name, x in names.items() if re.fullmatch(r"buffer(_\d+)?", name)]
    lent = [x for x in buffers if x.untyped_storage().data_ptr() in lenders]
    assert len(lent) >= 3
    assert len(lent) < len(buffers)  # what is alive when the last gradient is computed


def test_the_lines_name_parameters_and_gradients() -> None:
    network, loss, x, target = problem()
    source = Backprop(network, loss).source(x, target)
    assert source is not None
    assert "mm(x, linear1_weight_" in source
    for name in ("linear1_weight", "linear1_bias", "linear2_weight", "linear2_bias"):
        assert f"out=grad_{name})" in source


def test_steps_allocate_nothing_but_the_loss() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((64, 64, 64))
    step = Backprop(network, nn.SquaredError())
    x, target = torch.rand(256, 64), torch.rand(256, 64)
    step(x, target)
    gc.collect()
    with torch.profiler.profile(profile_memory=True, acc_events=True) as profile:
        step(x, target)
    allocated = [event.cpu_memory_usage for event in profile.events() if event.cpu_memory_usage > 0]
    assert max(allocated) <= 64  # bytes: the loss is one number


def most_bytes(run: Callable[[], object]) -> int:
    """The most that tensors made by a run hold at once."""
    gc.collect()
    with torch.profiler.profile(profile_memory=True, acc_events=True) as profile:
        run()
    events = profile.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return max(accumulate(nbytes for _, nbytes in changes))


@pytest.mark.parametrize("loss", ["MSELoss", "BCELoss"])
def test_the_first_step_takes_no_more_memory_than_torchs(loss: str) -> None:
    """It sweeps, and unrolls what it has swept; a few single numbers are let pass."""
    network = nn.SigmoidNetwork((64,) * 6)
    step = Backprop(network, getattr(nn, loss)())
    x, target = torch.rand(500, 64), torch.rand(500, 64)
    twin = torch.nn.Sequential(
        *(m for _ in range(5) for m in (torch.nn.Linear(64, 64), torch.nn.Sigmoid()))
    )
    torchs = most_bytes(lambda: getattr(torch.nn, loss)()(twin(x), target).backward())
    assert most_bytes(lambda: step(x, target)) <= torchs + 64
