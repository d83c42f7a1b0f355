"""Linearity, subsets, unused outputs and low precision."""

import pytest
import torch

from tests.checker.given import assert_right, backward_in, causes, gradients_in, normal, run_of
from tests.checker.given.candidates import relu_with_slope_at_zero
from tests.checker.probes.findings import Square, X, Y, found, square_with
from tests.corpora.wrong_ops.right_rules import Multiply
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import crosscheck
from torchref.checker.probes.linearity import linearity, undefined_cotangents
from torchref.checker.probes.precision import low_precision
from torchref.checker.probes.requires_grad import requires_grad_subsets
from torchref.ops import Affine, Sigmoid


class TwoOutputs(Rule):
    """2 x and 3 x; backward hears None of the output that is not used."""

    @staticmethod
    def forward(x):
        return x * 2, x * 3

    @staticmethod
    def setup_context(ctx, inputs, output):
        Rule.setup_context(ctx, inputs, output)
        ctx.set_materialize_grads(False)


class TestLinearity:
    def test_the_right_one_passes(self) -> None:
        assert found(linearity, Square) == []

    @pytest.mark.parametrize(
        "bend", [torch.square, torch.abs, lambda g: g.clamp(max=0.5), lambda g: g + 0.1]
    )
    def test_what_is_not_linear(self, bend) -> None:
        bends = square_with(lambda grad_y, x: 2 * x * bend(grad_y))
        assert found(linearity, bends) == [("not-linear-in-grad-output", "x")]

    @pytest.mark.parametrize(
        ("bend", "law"),
        [
            (lambda g: g.clamp(max=0.5), "4 times grad_output does not give 4 times the gradient"),
            (lambda g: g.clamp(-100, 100), "1024 times grad_output does not give 1024 times"),
            (torch.abs, "the sum of two grad_outputs does not give the sum of"),
        ],
    )
    def test_which_law_is_broken_is_said(self, bend, law: str) -> None:
        bends = square_with(lambda grad_y, x: 2 * x * bend(grad_y))
        (finding,) = linearity(run_of(bends, None, X)).findings
        assert finding.evidence.startswith(law)

    def test_16_bits_have_no_room_for_a_thousand_times(self) -> None:
        far = square_with(lambda grad_y, x: 2 * x * grad_y.clamp(-100, 100))
        assert linearity(run_of(far, None, X.half())).findings == []

    def test_grad_output_that_takes_no_part(self) -> None:
        ignores = square_with(lambda grad_y, x: 2 * x)
        assert found(linearity, ignores) == [("ignores-grad-output", "x")]


class TestSubsetsThatRequireGrad:
    def test_the_right_one_passes(self) -> None:
        assert found(requires_grad_subsets, Multiply, X, Y) == []
        assert found(requires_grad_subsets, Affine, X, normal(2, 3), normal(2)) == []

    def test_a_gradient_under_anothers_flag(self) -> None:
        @backward_in(Multiply)
        def WrongFlag(ctx, grad):
            grad_x, grad_y = Multiply.backward(ctx, grad)
            _, need_y = ctx.needs_input_grad
            return grad_x if need_y else None, grad_y if need_y else None

        assert found(requires_grad_subsets, WrongFlag, X, Y) == [
            ("depends-on-requires-grad", "left")
        ]

    def test_a_backward_that_raises_for_a_subset(self) -> None:
        @backward_in(Multiply)
        def NeedsBoth(ctx, grad):
            assert all(ctx.needs_input_grad), "both"
            return Multiply.backward(ctx, grad)

        assert found(requires_grad_subsets, NeedsBoth, X, Y)[0][0] == "depends-on-requires-grad"

    def test_a_pair_among_seven(self) -> None:
        class Pair(Rule):
            @staticmethod
            def forward(*xs):
                return torch.stack(xs).sum(0)

            @staticmethod
            def backward(ctx, grad):
                needed = [i for i, need in enumerate(ctx.needs_input_grad) if need]
                factor = 2 if needed == [2, 5] else 1
                return (grad * factor,) * 7

        inputs = [normal(3, seed=seed) for seed in range(7)]
        assert found(requires_grad_subsets, Pair, *inputs)[0][0] == "depends-on-requires-grad"


class TestUnusedOutputs:
    def test_one_output_has_nothing_to_try(self) -> None:
        assert undefined_cotangents(run_of(Square, None, X)).skipped

    def test_zeros_are_materialised_by_default(self) -> None:
        assert found(undefined_cotangents, lambda x: (x**2, x.sin())) == []

    def test_a_backward_that_stumbles_over_none(self) -> None:
        two = gradients_in(TwoOutputs)(lambda first, second, x: 2 * first + 3 * second)
        assert found(undefined_cotangents, two) == [("raises", None)]

    def test_a_backward_that_counts_none_for_something(self) -> None:
        @gradients_in(TwoOutputs)
        def Two(first, second, x):
            if second is None:
                return 2.5 * first
            return 3 * second + (0 if first is None else 2 * first)

        assert found(undefined_cotangents, Two) == [("missing-term", "x")]


class TestLowPrecision:
    def test_the_right_one_passes(self) -> None:
        assert found(low_precision, Square, reference=torch.square) == []
        assert found(low_precision, Sigmoid, reference=torch.sigmoid) == []

    def test_without_a_reference_there_is_no_twin(self) -> None:
        assert "no reference" in low_precision(run_of(Square, None, X)).skipped

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_digits_that_one_dtype_loses(self, dtype: torch.dtype) -> None:
        loses = square_with(lambda grad_y, x: 2 * x * grad_y * (1.25 if x.dtype is dtype else 1))
        assert found(low_precision, loses, reference=torch.square) == [("precision-loss", "x")]

    def test_a_float32_sum_in_bfloat16(self) -> None:
        @gradients_in(Square)
        def Casts(grad_y, x):
            if x.dtype is torch.float32:
                return (2 * x.bfloat16() * grad_y.bfloat16()).float()
            return Square.gradients(grad_y, x)

        assert found(low_precision, Casts, reference=torch.square) == [("precision-loss", "x")]

    @pytest.mark.parametrize("seed", range(20))
    def test_one_large_rounding_beside_one_small_one_is_no_loss(self, seed: int) -> None:
        @gradients_of(lambda x, width: torch.exp(-((x / width) ** 2)))
        def Summed(grad_y, x, width):
            """A gradient that is one number: a sum in another order than autograd's."""
            slope = grad_y * 2 * x / width**2 * torch.exp(-((x / width) ** 2))
            terms = (slope * x / width).reshape(-1)
            total = terms.new_zeros(())
            for term in terms:
                total = total + term
            return -slope, total

        x, width = normal(7, 5, seed=seed), torch.tensor(1.3, dtype=torch.float64)
        assert found(low_precision, Summed, x, width, reference=Summed.forward) == []

    def test_what_is_promised_to_be_approximate_is_held_to_that(self) -> None:
        loses = square_with(
            lambda grad_y, x: 2 * x * grad_y * (1 + 1e-4 * (x.dtype is torch.float32))
        )
        assert_right(loses, torch.square, (X,), tolerance=1e-3)
        assert causes(crosscheck(loses, torch.square, (X,)))[0] == "precision-loss"

    def test_another_convention_at_a_kink_is_no_loss(self) -> None:
        x = torch.tensor([0.0, 1.0, -2.0], dtype=torch.float64)
        assert found(low_precision, relu_with_slope_at_zero(0.5), x, reference=torch.relu) == []
