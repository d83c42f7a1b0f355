"""What Functions of public packages do that ours do not, and that is no mistake of theirs."""

import torch
from torch import Tensor

from tests.checker.given.runs import normal
from tests.checker.given.verdicts import assert_right, assert_wrong
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import Report, crosscheck

X = normal(4, 3)


def causes(report: Report) -> set[str]:
    return {finding.cause for finding in report.findings}


@gradients_of(lambda x: torch.sin(x))
def Sine(grad_y, x):
    return grad_y * torch.cos(x)


def test_an_output_whose_shape_the_values_decide() -> None:
    @gradients_of(lambda x: x[x > 0] ** 2)
    def Positive(grad_y, x):
        """The entries above 0, as a rank or a selection depends on the values."""
        grad_x = torch.zeros_like(x)
        grad_x[x > 0] = grad_y * 2 * x[x > 0]
        return grad_x

    for reference in (lambda x: x[x > 0] ** 2, None):
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

    report = crosscheck(Frees, torch.sin, (X,))
    assert causes(report) == {"mutates-saved"}
    assert "is freed" in report.findings[0].evidence
    meant = {"mutates-saved": "the next block holds what it was computed from"}
    assert_right(Frees, torch.sin, (X,), expect=meant)


def test_a_backward_that_refuses_grad() -> None:
    """Checkpointing that runs its part again with `backward` says so, and is judged by that."""

    def checkpointed(function):
        def run(x: Tensor) -> Tensor:
            return torch.utils.checkpoint.checkpoint(function, x, use_reentrant=True)

        return run

    assert_right(checkpointed(torch.sin), torch.sin, (X,))
    report = crosscheck(checkpointed(torch.sin), torch.cos, (X,))
    assert "forward-wrong" in causes(report)


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

    class Looks(Rule):
        """Who indexes with what arrives may end the process, though the output has a limit."""

        @staticmethod
        def forward(x):
            seen.append(bool(torch.isinf(x).any()))
            return torch.atan(x)

        @staticmethod
        def gradients(grad_y, x):
            return grad_y / (1 + x * x)

    assert_right(Looks, torch.atan, (X,))
    assert seen
    assert not any(seen)


def test_at_infinite_inputs_a_gradient_that_is_no_number_is_wrong() -> None:
    @gradients_of(lambda x: x.softmax(-1))
    def Softmax(grad_y, x):
        y = x.softmax(-1)
        return y * (grad_y - (grad_y * y).sum(-1, keepdim=True)) + 0 * x

    report = crosscheck(Softmax, lambda x: x.softmax(-1), (X,))
    assert causes(report) == {"not-finite"}
    assert all("an entry of −∞" in finding.at for finding in report.findings)


def test_at_infinite_inputs_the_forward_need_not_agree() -> None:
    @gradients_of(lambda x: torch.exp(x) + 0 * x)
    def Exponential(grad_y, x):
        return grad_y * torch.exp(x)

    assert_right(Exponential, torch.exp, (X,))


def test_inputs_that_hold_up_to_rounding_in_float32() -> None:
    class Rotation(Rule):
        """By an angle whose sine and cosine are given: c² + s² = 1 up to rounding."""

        @staticmethod
        def forward(turn, p):
            c, s = turn
            return torch.stack([c * p[0] - s * p[1], s * p[0] + c * p[1]])

        @staticmethod
        def gradients(grad_y, turn, p):
            c, s = turn
            grad_p = torch.stack([c * grad_y[0] + s * grad_y[1], c * grad_y[1] - s * grad_y[0]])
            grad_turn = torch.stack([(grad_y * p).sum(), grad_y[1] @ p[0] - grad_y[0] @ p[1]])
            return grad_turn, grad_p / (c * c + s * s)  # by the inverse, which is the transpose

    def on_the_circle(turn, p):
        return turn.square().sum() > 0.999999 and turn.square().sum() < 1.000001

    turn = torch.stack([torch.tensor(0.7).cos(), torch.tensor(0.7).sin()])
    assert_right(Rotation, Rotation.forward, (turn, normal(2, 5).float()), domain=on_the_circle)
    off = (turn * 1.001).double()
    assert_wrong(Rotation, Rotation.forward, (off, normal(2, 5)), vary=False)


def test_the_error_of_what_is_approximate_is_not_held_to_another_scale() -> None:
    @gradients_of(lambda x: x * x / 2)
    def Absolute(grad_y, x):
        """x² / 2 with a slope that is right to 1e-6 whatever the size of x is, as a solver's."""
        return grad_y * (x + 1e-6)

    assert_right(Absolute, Absolute.forward, (X,), tolerance=1e-4)
    assert_wrong(Absolute, Absolute.forward, (X,), tolerance=1e-9)
