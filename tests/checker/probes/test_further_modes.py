"""Second order, forward mode and vmap."""

import pytest
import torch

from tests.checker.given import gradients_in, normal, run_of
from tests.checker.probes.findings import Square, X, Y, found
from tests.corpora.wrong_ops.right_rules import Multiply
from torchref import crosscheck
from torchref.checker.probes.forward_mode import forward_mode
from torchref.checker.probes.second_order import second_order
from torchref.ops import Affine, Sigmoid


class TestSecondOrder:
    def test_the_right_one_passes(self) -> None:
        assert found(second_order, Square) == []
        assert found(second_order, Affine, X, normal(2, 3), normal(2)) == []

    @pytest.mark.parametrize("kink", [torch.relu, torch.abs, lambda x: x.abs() * x])
    def test_kinks_are_tried_beside(self, kink) -> None:
        x = torch.tensor([[0.0, 1.0], [-2.0, 0.0]], dtype=torch.float64)
        assert second_order(run_of(kink, None, x)).findings == []

    def test_a_saved_intermediate_is_a_constant_to_autograd(self) -> None:
        class Intermediate(Square):
            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.slope = 2 * inputs[0].detach()

            @staticmethod
            def backward(ctx, grad_y):
                return ctx.slope * grad_y

        assert found(second_order, Intermediate) == [("second-order-wrong", "x")]

    def test_a_gradient_without_a_graph(self) -> None:
        @gradients_in(Square)
        def NoGraph(grad_y, x):
            with torch.no_grad():
                return Square.gradients(grad_y, x)

        (finding,) = second_order(run_of(NoGraph, None, X)).findings
        assert "no graph leads back" in finding.evidence

    def test_a_refusal_is_as_it_should_be(self) -> None:
        class Refuses(Square):
            @staticmethod
            @torch.autograd.function.once_differentiable
            def backward(ctx, grad_y):
                return Square.backward(ctx, grad_y)

        outcome = second_order(run_of(Refuses, None, X))
        assert outcome.findings == []
        assert "refused by an error, as it should be" in outcome.skipped

    def test_the_argument_along_which_it_is_wrong(self) -> None:
        @gradients_in(Multiply)
        def Detaches(grad, left, right):
            return grad * right.detach(), grad * left

        assert found(second_order, Detaches, X, Y) == [("second-order-wrong", "right")]


class TestForwardMode:
    def test_the_right_one_passes(self) -> None:
        assert found(forward_mode, torch.sin) == []
        assert found(forward_mode, Sigmoid) == []

    def test_a_function_without_a_rule_is_skipped(self) -> None:
        assert forward_mode(run_of(Square, None, X)).skipped.startswith("not offered")

    def test_an_op_of_torch_library_is_skipped(self) -> None:
        """It can have no rule, and its forward mode is a silent 0."""

        @torch.library.custom_op("torchref_tests::square", mutates_args=())
        def square(x: torch.Tensor) -> torch.Tensor:
            return x * x

        def backward(ctx, grad_y):
            return 2 * grad_y * ctx.saved_tensors[0]

        square.register_autograd(
            backward, setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs)
        )
        for called in (square, lambda x: square(x)):
            assert forward_mode(run_of(called, None, X)).skipped.startswith("not offered")
        report = crosscheck(square, torch.square, (X,), order=2)
        assert report.verdict == "right", report
        assert not report.hazards

    @pytest.mark.parametrize("factor", [-1.0, 1 + 1e-6, 0.0])
    def test_a_rule_of_another_function(self, factor: float) -> None:
        class Wrong(Square):
            @staticmethod
            def setup_context(ctx, inputs, output):
                Square.setup_context(ctx, inputs, output)
                ctx.save_for_forward(*inputs)

            @staticmethod
            def jvp(ctx, dx):
                (x,) = ctx.saved_tensors
                return factor * 2 * x * dx

        Wrong.generate_vmap_rule = False
        assert found(forward_mode, Wrong) == [("forward-mode-wrong", None)]
