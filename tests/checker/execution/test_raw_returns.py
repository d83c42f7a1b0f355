"""What backward really returned before autograd repairs it, and whether that keeps a contract."""

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from tests.checker.given import assert_right, assert_wrong, normal, run_of
from tests.corpora.wrong_ops.rule import SavesInputs, gradients_of
from torchref import crosscheck
from torchref.checker.execution.raw_returns import custom_nodes, recording
from torchref.checker.probes.contract import breaches

X, BIAS = normal(5, 3), normal(3)


def returning(*made) -> type[SavesInputs]:
    """y = x + bias, whose backward returns what `made` makes of grad_y, in turn."""

    @gradients_of(lambda x, bias: x + bias)
    def AddBias(grad_y, x, bias):
        return tuple(make(grad_y) for make in made)

    return AddBias


def same(grad: Tensor) -> Tensor:
    return grad.clone()


def summed(grad: Tensor) -> Tensor:
    return grad.sum(0)


def broken(*made) -> list[tuple[str, str | None]]:
    run = run_of(returning(*made), torch.add, X, BIAS)
    return [(finding.cause, finding.argument) for finding in breaches(run)]


def test_a_return_that_keeps_the_contract() -> None:
    assert broken(same, summed) == []


@pytest.mark.parametrize(
    ("of_bias", "cause"),
    [
        (lambda grad: None, "missing-gradient"),
        (same, "missing-reduction"),
        (lambda grad: grad.sum(0, keepdim=True), "missing-reduction"),
        (lambda grad: grad.sum(0).float(), "wrong-dtype"),
    ],
    ids=["None", "unreduced", "kept dimension", "single precision"],
)
def test_what_autograd_repairs_without_a_word(of_bias, cause: str) -> None:
    # None may stand for 0, and the oracles see that it does not.
    assert broken(same, of_bias) == ([] if cause == "missing-gradient" else [(cause, "bias")])
    report = crosscheck(returning(same, of_bias), torch.add, (X, BIAS))
    found = {(each.cause, each.argument) for each in report.findings + report.hazards}
    assert (cause, "bias") in found
    repaired = cause == "missing-reduction"  # a cast of float64 to float32 has lost digits
    assert report.verdict == ("right" if repaired else "wrong")
    assert_wrong(returning(same, of_bias), torch.add, (X, BIAS), order=2)


def test_none_is_right_for_a_gradient_of_zero_and_wrong_for_a_leaf_that_nobody_asks_for() -> None:
    @gradients_of(lambda x, steps: x + torch.round(steps))
    def Steps(grad_y, x, steps):
        return grad_y, None

    assert_right(lambda x: Steps.apply(x, x.sum(0)), lambda x: x + torch.round(x.sum(0)), (X,))
    held = BIAS.clone().requires_grad_()
    function = returning(same, lambda grad: None)
    report = crosscheck(lambda x: function.apply(x, held), lambda x: x + held, (X,))
    assert [(each.cause, each.argument) for each in report.findings] == [
        ("missing-gradient", "bias")
    ]


def test_a_shape_that_autograd_refuses_is_a_finding_too() -> None:
    report = crosscheck(returning(same, lambda grad: grad.sum(1)), torch.add, (X, BIAS))
    (found,) = report.findings
    assert (found.cause, found.argument) == ("wrong-shape", "bias")
    assert "returned shape (5,) for an input of shape (3,)" in found.evidence


def test_an_input_that_needs_no_gradient_may_get_none() -> None:
    assert_right(returning(same, lambda grad: None), torch.add, (X, BIAS), wrt=["x"])


def test_an_old_style_function_is_recorded_with_its_names() -> None:
    class Old(Function):
        @staticmethod
        def forward(ctx, x, power, bias):
            return x + bias

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y, None, grad_y

    run = run_of(Old, lambda x, power, bias: x + bias, X, 2, BIAS)
    (call,) = run.raw
    assert [call.name(place) for place in range(3)] == ["x", "power", "bias"]
    assert [e and e.shape for e in call.expected] == [(5, 3), None, (3,)]
    (breach,) = breaches(run)
    assert (breach.cause, breach.argument) == ("missing-reduction", "bias")


def test_functions_deep_inside_are_recorded_and_restored() -> None:
    function = returning(same, same)
    plain = vars(function)["backward"]

    def network(x: Tensor, bias: Tensor) -> Tensor:
        return torch.tanh(function.apply(torch.sin(x), 2 * bias)).sum(1)

    run = run_of(network, None, X, BIAS)
    assert [call.function for call in run.raw] == [function]
    assert [finding.cause for finding in breaches(run)] == ["missing-reduction"]
    assert vars(function)["backward"] is plain


def test_an_inherited_backward_is_not_left_behind_on_the_subclass() -> None:
    class Inherits(returning(same, summed)):
        pass

    y = Inherits.apply(X.clone().requires_grad_(), BIAS)
    assert len(custom_nodes([y])) == 1
    with recording([y]):
        assert "backward" in vars(Inherits)
    assert "backward" not in vars(Inherits)
