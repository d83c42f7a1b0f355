"""Memory and state: who writes, shares, forgets or keeps what it should not."""

from typing import ClassVar

import torch
from torch import Tensor
from torch.utils import deterministic

from tests.checker.given.runs import normal, run_of
from tests.corpora.wrong_ops.right_rules import Square
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.probes.mutation import mutation, poisoned, uninitialised_memory
from torchref.checker.probes.probe import Outcome
from torchref.checker.probes.repetition import fresh_repeats, interleaved, repeats_on_one_tape

X = normal(4, 3)


@gradients_of(lambda x, y: x + y)
def Sum(grad, x, y):
    return grad, grad


def twice_in_one_memory(grad: Tensor) -> Tensor:
    return torch.empty(2, *grad.shape, dtype=grad.dtype).copy_(grad)


def seen(probe, candidate, *inputs: Tensor) -> tuple[list[str], list[str | None]]:
    """Causes and arguments."""
    outcome: Outcome = probe(run_of(candidate, None, *(inputs or (X,))))
    assert not outcome.skipped, outcome.skipped
    return [f.cause for f in outcome.findings], [f.argument for f in outcome.findings]


def told(probe, candidate) -> list[tuple[str, str]]:
    """Causes and evidence."""
    outcome: Outcome = probe(run_of(candidate, None, X))
    return [(f.cause, f.evidence) for f in outcome.findings]


def test_the_right_one_passes_them_all() -> None:
    for probe in (
        uninitialised_memory,
        mutation,
        fresh_repeats,
        repeats_on_one_tape,
        interleaved,
    ):
        assert seen(probe, Square) == ([], [])


class TestUninitialisedMemory:
    def test_an_entry_that_is_never_written(self) -> None:
        class LeavesOne(Square):
            @staticmethod
            def backward(ctx, grad_y):
                grad_x = torch.empty_like(grad_y)
                grad_x[:3] = Square.backward(ctx, grad_y)[:3]
                return grad_x

        (finding,) = uninitialised_memory(run_of(LeavesOne, None, X)).findings
        assert finding.cause == "uninitialised-memory"
        assert finding.element == (3, 0)
        assert "3 of 12 entries" in finding.evidence

    def test_empty_memory_that_is_written_is_fine(self) -> None:
        class Writes(Square):
            @staticmethod
            def backward(ctx, grad_y):
                return torch.empty_like(grad_y).copy_(Square.backward(ctx, grad_y))

        assert seen(uninitialised_memory, Writes) == ([], [])

    def test_torchs_settings_come_back(self) -> None:
        before = deterministic.fill_uninitialized_memory
        with poisoned():
            assert torch.are_deterministic_algorithms_enabled()
            assert bool(torch.empty(5).isnan().all())
        assert not torch.are_deterministic_algorithms_enabled()
        assert deterministic.fill_uninitialized_memory == before


class TestMutation:
    def test_of_an_input_by_forward(self) -> None:
        def doubles(x):
            y = x**2
            x.data.mul_(2)
            return y

        assert seen(mutation, doubles) == (["mutates-input"], ["x"])

    def test_of_an_input_by_backward(self) -> None:
        class Doubles(Square):
            @staticmethod
            def backward(ctx, grad_y):
                grad_x = Square.backward(ctx, grad_y)
                ctx.saved_tensors[0].data.mul_(2)
                return grad_x

        assert seen(mutation, Doubles)[0][:1] == ["mutates-input"]

    def test_of_statistics_that_are_not_differentiated(self) -> None:
        def normalised(x, mean):
            with torch.no_grad():
                mean.lerp_(x.mean(0), 0.1)
            return x - x.mean(0)

        def found(*wrt: str) -> list[str]:
            run = run_of(normalised, None, X, X[0].clone(), wrt=wrt)
            return [finding.cause for finding in mutation(run).findings]

        assert found("x") == []
        assert found("mean", "x") == ["mutates-input"]

    def test_of_grad_output(self) -> None:
        class InPlace(Square):
            @staticmethod
            def backward(ctx, grad_y):
                (x,) = ctx.saved_tensors
                return grad_y.mul_(2 * x)

        assert seen(mutation, InPlace)[0] == ["mutates-grad-output"]

    def test_of_a_saved_intermediate(self) -> None:
        class Consumes(Square):
            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.slope = 2 * inputs[0]

            @staticmethod
            def backward(ctx, grad_y):
                return ctx.slope.mul_(grad_y).clone()

        assert seen(mutation, Consumes)[0] == ["mutates-saved"]

    def test_of_two_gradients_in_one_memory(self) -> None:
        class Halves(Sum):
            @staticmethod
            def gradients(grad, x, y):
                both = twice_in_one_memory(grad)
                return both[0], both[0].view_as(grad)

        assert seen(mutation, Halves, X, normal(4, 3)) == (["aliased-buffer"], ["y"])

    def test_neighbours_in_one_memory_do_not_overlap(self) -> None:
        class Halves(Sum):
            @staticmethod
            def gradients(grad, x, y):
                both = twice_in_one_memory(grad)
                return both[0], both[1]

        assert seen(mutation, Halves, X, normal(4, 3)) == ([], [])

    def test_of_grad_output_handed_on_twice_is_how_addition_goes(self) -> None:
        assert seen(mutation, Sum, X, normal(4, 3)) == ([], [])


class TestRepetition:
    def test_random_numbers_in_backward(self) -> None:
        class Draws(Square):
            @staticmethod
            def backward(ctx, grad_y):
                return Square.backward(ctx, grad_y) + 1e-6 * torch.rand_like(grad_y)

        ((said, evidence),) = told(fresh_repeats, Draws)
        assert said == "nondeterministic"
        assert evidence.startswith(
            "from one forward and backward to another, of 10 on the same inputs: "
        )

    def test_a_forward_that_differs_from_call_to_call(self) -> None:
        class Counts:
            calls = 0

            def __call__(self, x):
                self.calls += 1
                return x * self.calls

        assert seen(fresh_repeats, Counts())[0] == ["forward-noisy"]

    def test_a_buffer_on_the_class_that_adds_up(self) -> None:
        class Adds(Square):
            total: ClassVar[list] = []

            @staticmethod
            def backward(ctx, grad_y):
                Adds.total.append(Square.backward(ctx, grad_y))
                return torch.stack(Adds.total).sum(0)

        ((said, evidence),) = told(fresh_repeats, Adds)
        assert said == "accumulates"
        assert evidence.startswith("each further forward and backward adds the same: ")

    def test_every_call_after_the_first_is_another(self) -> None:
        class Remembers(Square):
            calls: ClassVar[list] = []

            @staticmethod
            def backward(ctx, grad_y):
                Remembers.calls.append(1)
                first_of_the_probe = len(Remembers.calls) == 2  # the run is the first of all
                return Square.backward(ctx, grad_y) * (1 if first_of_the_probe else 2)

        ((said, evidence),) = told(fresh_repeats, Remembers)
        assert said == "stale-state"
        assert evidence.startswith("from the first forward and backward to all later ones: ")

    def test_the_same_memory_handed_out_twice(self) -> None:
        class Reuses(Square):
            buffer: ClassVar[Tensor] = torch.empty(4, 3, dtype=torch.float64)

            @staticmethod
            def backward(ctx, grad_y):
                return Reuses.buffer.copy_(Square.backward(ctx, grad_y))

        ((said, evidence),) = told(repeats_on_one_tape, Reuses)
        assert said == "aliased-buffer"
        assert evidence.startswith("a later backward changed what was returned before: ")

    def test_a_tape_that_is_not_zeroed_between_two_backwards(self) -> None:
        class Keeps(Square):
            @staticmethod
            def backward(ctx, grad_y):
                ctx.total = getattr(ctx, "total", 0) + Square.backward(ctx, grad_y)
                return ctx.total.clone()

        ((said, evidence),) = told(repeats_on_one_tape, Keeps)
        assert said == "accumulates"
        assert evidence.startswith(
            "a later backward through the same graph adds what came before: "
        )

    def test_a_backward_that_uses_up_what_it_saved(self) -> None:
        class Uses(Square):
            @staticmethod
            def backward(ctx, grad_y):
                factor = 1.0 if not hasattr(ctx, "used") else 0.5
                ctx.used = True
                return factor * Square.backward(ctx, grad_y)

        ((said, evidence),) = told(repeats_on_one_tape, Uses)
        assert said == "stale-state"
        assert evidence.startswith(
            "a backward through the same graph, after another with other grad_output: "
        )

    def test_a_backward_that_refuses_to_run_twice_is_skipped(self) -> None:
        class Once(Square):
            @staticmethod
            def backward(ctx, grad_y):
                if hasattr(ctx, "used"):
                    raise RuntimeError("once only")
                ctx.used = True
                return Square.backward(ctx, grad_y)

        outcome = repeats_on_one_tape(run_of(Once, None, X))
        assert outcome.skipped == "a second backward is refused: once only"


class TestInterleaving:
    def test_what_is_kept_on_the_class_is_the_last_calls(self) -> None:
        class OnTheClass(Square):
            last: Tensor

            @staticmethod
            def setup_context(ctx, inputs, output):
                OnTheClass.last = inputs[0].detach().clone()

            @staticmethod
            def backward(ctx, grad_y):
                return 2 * OnTheClass.last * grad_y

        assert seen(interleaved, OnTheClass) == (["stale-state"], ["x"])

    def test_a_slope_that_is_cached_by_shape(self) -> None:
        class Cached(Square):
            slopes: ClassVar[dict] = {}

            @staticmethod
            def backward(ctx, grad_y):
                (x,) = ctx.saved_tensors
                return Cached.slopes.setdefault(x.shape, 2 * x.clone()) * grad_y

        run = run_of(Cached, torch.square, X)
        (finding,) = interleaved(run).findings
        assert finding.cause == "stale-state"
        assert finding.at == "reversed"
