"""Memory and state: who writes, shares, forgets or keeps what it should not."""

import pytest
import torch
from torch import Tensor
from torch.utils import deterministic

from tests.checker.given import backward_in, gradients_in, normal, run_of
from tests.checker.probes.findings import Square, X, found, square_with
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.probes.mutation import mutation, poisoned, uninitialised_memory
from torchref.checker.probes.repetition import fresh_repeats, interleaved, repeats_on_one_tape


@gradients_of(lambda x, y: x + y)
def Sum(grad, x, y):
    return grad, grad


class SavesTheSlope(Square):
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.slope = 2 * inputs[0]


@backward_in(Square)
def LeavesOne(ctx, grad_y):
    grad_x = torch.empty_like(grad_y)
    grad_x[:3] = Square.backward(ctx, grad_y)[:3]
    return grad_x


def doubles_its_input(x):
    y = x**2
    x.data.mul_(2)
    return y


@backward_in(Square)
def DoublesItsInput(ctx, grad_y):
    grad_x = Square.backward(ctx, grad_y)
    ctx.saved_tensors[0].data.mul_(2)
    return grad_x


def turns(x):
    y = x**2
    x.t_()
    return y


@gradients_of(turns)
def TurnsItsInput(grad_y, x):
    return grad_y * 2 * x.mT


@backward_in(SavesTheSlope)
def Consumes(ctx, grad_y):
    return ctx.slope.mul_(grad_y).clone()


draws = square_with(lambda grad_y, x: 2 * x * grad_y + 1e-6 * torch.rand_like(grad_y))
in_place = square_with(lambda grad_y, x: grad_y.mul_(2 * x))
writes_all = square_with(lambda grad_y, x: torch.empty_like(grad_y).copy_(2 * x * grad_y))


def twice_in_one_memory(grad: Tensor) -> Tensor:
    return torch.empty(2, *grad.shape, dtype=grad.dtype).copy_(grad)


@gradients_in(Sum)
def OneHalfTwice(grad, x, y):
    half, _ = twice_in_one_memory(grad)
    return half, half.view_as(grad)


both_halves = gradients_in(Sum)(lambda grad, x, y: tuple(twice_in_one_memory(grad)))


@backward_in(Square)
def KeepsOnTheTape(ctx, grad_y):
    ctx.total = getattr(ctx, "total", 0) + Square.backward(ctx, grad_y)
    return ctx.total.clone()


@backward_in(Square)
def UsesUp(ctx, grad_y):
    factor = 1.0 if not hasattr(ctx, "used") else 0.5
    ctx.used = True
    return factor * Square.backward(ctx, grad_y)


@backward_in(Square)
def Once(ctx, grad_y):
    if hasattr(ctx, "used"):
        raise RuntimeError("once only")
    ctx.used = True
    return Square.backward(ctx, grad_y)


def told(probe, candidate) -> tuple[str, str]:
    """The cause and the evidence of the one finding."""
    (finding,) = probe(run_of(candidate, None, X)).findings
    return finding.cause, finding.evidence


@pytest.mark.parametrize(
    "probe", [uninitialised_memory, mutation, fresh_repeats, repeats_on_one_tape, interleaved]
)
def test_the_right_one_passes(probe) -> None:
    assert found(probe, Square) == []


@pytest.mark.parametrize(
    ("probe", "candidate", "inputs", "first"),
    [
        (uninitialised_memory, writes_all, (X,), []),
        (mutation, doubles_its_input, (X,), [("mutates-input", "x")]),
        (mutation, DoublesItsInput, (X,), [("mutates-input", "x")]),
        (mutation, TurnsItsInput, (X,), [("mutates-input", "x")]),
        (mutation, in_place, (X,), [("mutates-grad-output", None)]),
        (mutation, Consumes, (X,), [("mutates-saved", None)]),
        (mutation, OneHalfTwice, (X, normal(4, 3)), [("aliased-buffer", "y")]),
        (mutation, both_halves, (X, normal(4, 3)), []),
        (mutation, Sum, (X, normal(4, 3)), []),  # grad_output handed on twice
    ],
)
def test_who_writes_into_memory(probe, candidate, inputs, first) -> None:
    findings = found(probe, candidate, *inputs)
    assert findings[: 1 if candidate is DoublesItsInput else None] == first


@pytest.mark.parametrize(
    ("probe", "candidate", "cause", "start"),
    [
        (
            *(fresh_repeats, draws, "nondeterministic"),
            "from one forward and backward to another, of 10 on the same inputs: ",
        ),
        (
            *(repeats_on_one_tape, KeepsOnTheTape, "accumulates"),
            "a later backward through the same graph adds what came before: ",
        ),
        (
            *(repeats_on_one_tape, UsesUp, "stale-state"),
            "a backward through the same graph, after another with other grad_output: ",
        ),
    ],
)
def test_what_differs_from_one_backward_to_another(probe, candidate, cause, start) -> None:
    said, evidence = told(probe, candidate)
    assert said == cause
    assert evidence.startswith(start)


def test_an_entry_that_is_never_written() -> None:
    (finding,) = uninitialised_memory(run_of(LeavesOne, None, X)).findings
    assert finding.cause == "uninitialised-memory"
    assert finding.element == (3, 0)
    assert "3 of 12 entries" in finding.evidence


def test_torchs_settings_come_back() -> None:
    before = deterministic.fill_uninitialized_memory
    with poisoned():
        assert torch.are_deterministic_algorithms_enabled()
        assert bool(torch.empty(5).isnan().all())
    assert not torch.are_deterministic_algorithms_enabled()
    assert deterministic.fill_uninitialized_memory == before


@pytest.mark.parametrize(("wrt", "causes"), [(("x",), []), (("mean", "x"), ["mutates-input"])])
def test_statistics_that_are_not_differentiated_may_be_written(wrt, causes: list[str]) -> None:
    def normalised(x, mean):
        with torch.no_grad():
            mean.lerp_(x.mean(0), 0.1)
        return x - x.mean(0)

    run = run_of(normalised, None, X, X[0].clone(), wrt=wrt)
    assert [finding.cause for finding in mutation(run).findings] == causes


def test_a_forward_that_differs_from_call_to_call() -> None:
    class Counts:
        calls = 0

        def __call__(self, x):
            self.calls += 1
            return x * self.calls

    assert [cause for cause, _ in found(fresh_repeats, Counts())] == ["forward-noisy"]


def test_a_buffer_that_adds_up() -> None:
    total = []

    @square_with
    def Adds(grad_y, x):
        total.append(2 * x * grad_y)
        return torch.stack(total).sum(0)

    said, evidence = told(fresh_repeats, Adds)
    assert said == "accumulates"
    assert evidence.startswith("each further forward and backward adds the same: ")


def test_every_call_after_the_first_is_another() -> None:
    calls = []

    @square_with
    def Remembers(grad_y, x):
        calls.append(1)
        first_of_the_probe = len(calls) == 2  # the run is the first of all
        return 2 * x * grad_y * (1 if first_of_the_probe else 2)

    said, evidence = told(fresh_repeats, Remembers)
    assert said == "stale-state"
    assert evidence.startswith("from the first forward and backward to all later ones: ")


def test_the_same_memory_handed_out_twice() -> None:
    buffer = torch.empty(4, 3, dtype=torch.float64)
    reuses = square_with(lambda grad_y, x: buffer.copy_(2 * x * grad_y))
    said, evidence = told(repeats_on_one_tape, reuses)
    assert said == "aliased-buffer"
    assert evidence.startswith("a later backward changed what was returned before: ")


def test_a_backward_that_refuses_to_run_twice_is_skipped() -> None:
    outcome = repeats_on_one_tape(run_of(Once, None, X))
    assert outcome.skipped == "a second backward is refused: once only"


def test_what_is_kept_on_the_class_is_the_last_calls() -> None:
    class OnTheClass(Square):
        last: Tensor

        @staticmethod
        def setup_context(ctx, inputs, output):
            OnTheClass.last = inputs[0].detach().clone()

        @staticmethod
        def backward(ctx, grad_y):
            return 2 * OnTheClass.last * grad_y

    assert found(interleaved, OnTheClass) == [("stale-state", "x")]


def test_a_slope_that_is_cached_by_shape() -> None:
    slopes = {}
    cached = square_with(lambda grad_y, x: slopes.setdefault(x.shape, 2 * x.clone()) * grad_y)
    (finding,) = interleaved(run_of(cached, torch.square, X)).findings
    assert finding.cause == "stale-state"
    assert finding.at == "reversed"
