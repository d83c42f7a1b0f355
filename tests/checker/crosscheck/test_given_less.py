"""Labels that happen to rise, numbers left at their defaults, empty tensors, no witness."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from tests.checker.given import assert_right, assert_wrong, normal
from tests.corpora.wrong_ops.right_rules import Square
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import compare, crosscheck


def sums(x: Tensor, labels: Tensor, count: int) -> Tensor:
    return torch.zeros(count, x.shape[1], dtype=x.dtype).index_add(0, labels, x)


@gradients_of(sums)
def Sums(grad_y, x, labels, count):
    return grad_y[labels], None, None


@gradients_of(sums)
def SumsOfSortedRows(grad_y, x, labels, count):
    rows = grad_y.repeat_interleave(torch.bincount(labels, minlength=count), 0)
    return rows, None, None


def test_labels_that_rise_are_tried_in_other_orders() -> None:
    inputs = (normal(6, 2), torch.tensor([0, 0, 1, 1, 2, 2]), 3)
    assert_right(Sums, sums, inputs)
    assert "labels" in assert_wrong(SumsOfSortedRows, sums, inputs).findings[0].at
    # Whether another order is promised, the forward alone does not say.
    assert_right(SumsOfSortedRows, None, inputs)


def rows_of_parts(x: Tensor, starts: Tensor) -> Tensor:
    return F.embedding_bag(torch.arange(len(x)), x, starts, mode="sum")


def test_where_parts_begin_is_no_label() -> None:
    assert_right(rows_of_parts, rows_of_parts, (normal(6, 2), torch.tensor([0, 2, 5])))


@gradients_of(lambda x, target: F.cross_entropy(x, target, reduction="sum"))
def Loss(grad_y, x, target):
    """Σ cross-entropy; rows to be ignored get a gradient all the same."""
    return grad_y * (x.softmax(-1) - F.one_hot(target.clamp(min=0), x.shape[1])), None


@pytest.mark.parametrize("target", [[0, 3, 2, 1], [1, 1, 0, 4]])
def test_the_ignored_index_is_tried(target: list[int]) -> None:
    report = assert_wrong(Loss, Loss.forward, (normal(4, 5), torch.tensor(target)))
    assert "-100" in report.findings[0].at


@gradients_of(lambda x, beta: F.softplus(x, beta))
def Softplus(grad_y, x, beta):
    return grad_y * beta * torch.sigmoid(beta * x), None


def softplus(x: Tensor, beta: float = 1.0) -> Tensor:
    return F.softplus(x, beta)


def test_a_default_that_is_left_out_is_varied() -> None:
    def mistaken(x: Tensor, beta: float = 1.0) -> Tensor:
        return Softplus.apply(x, beta)

    def with_a_default_of_its_own(x: Tensor, beta: float = 2.0) -> Tensor:
        return F.softplus(x, 1.0) + 0 * beta

    for reference in (softplus, None):
        assert "beta=" in assert_wrong(mistaken, reference, (normal(4, 3),)).findings[0].at
    assert_right(softplus, softplus, (normal(4, 3),))
    assert_right(with_a_default_of_its_own, softplus, (normal(4, 3),))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,)])
def test_of_empty_tensors_nothing_can_be_told(shape: tuple[int, ...]) -> None:
    for reference in (None, torch.sin):
        report = crosscheck(torch.sin, reference, (torch.zeros(shape),))
        assert report.verdict == "cannot tell"
        assert "nothing was compared" in str(report)
    assert_right(torch.sin, torch.sin, (torch.zeros(shape),), samples=[(normal(3),)])


@gradients_of(lambda x: x * x)
def HalfSquare(grad_y, x):
    return grad_y * x


class Network(torch.nn.Module):
    def __init__(self, function: type[Rule]) -> None:
        super().__init__()
        self.linear, self.function = torch.nn.Linear(3, 2), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(self.linear(x))


@pytest.mark.parametrize(("function", "verdict"), [(HalfSquare, "wrong"), (Square, "right")])
def test_a_reference_of_the_same_functions_is_no_witness(function, verdict: str) -> None:
    model = Network(function)
    report = crosscheck(model, copy.deepcopy(model), (normal(4, 3),))
    assert report.verdict == verdict, str(report)
    assert f"{function.__name__} as the candidate does" in str(report)
    inside = crosscheck(
        lambda x: function.apply(x).sin(), lambda x: function.apply(x).sin(), (normal(4, 3),)
    )
    assert inside.verdict == verdict


def test_a_report_has_no_truth_value() -> None:
    report = crosscheck(HalfSquare, torch.square, (normal(3),))
    with pytest.raises(TypeError, match=r'report\.verdict == "right"'):
        assert report
    comparison = compare({"w": normal(3)}, {"w": 2 * normal(3)})
    with pytest.raises(TypeError, match="raise_if_different"):
        assert comparison


class AtBetaOne(Function):
    """Right where β is left at its default, and nowhere else."""

    @staticmethod
    def forward(ctx, x, beta=1.0):
        ctx.save_for_backward(x)
        return F.softplus(x, beta)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.sigmoid(x), None


class OfItsInputAlone(AtBetaOne):
    """A backward for calls without β: torch refuses it for others."""

    @staticmethod
    def backward(ctx, grad_y):
        return AtBetaOne.backward(ctx, grad_y)[0]


@pytest.mark.parametrize("candidate", [AtBetaOne, AtBetaOne.apply], ids=["class", "apply"])
@pytest.mark.parametrize("reference", [None, lambda x, beta=1.0: F.softplus(x, beta)])
def test_a_default_of_a_function_is_varied(candidate, reference) -> None:
    report = assert_wrong(candidate, reference, (normal(4, 3),))
    assert "beta=0.7" in str(report)


def test_a_default_that_a_backward_does_not_count_is_left_out() -> None:
    report = assert_right(OfItsInputAlone, inputs=(normal(4, 3),))
    assert any("incorrect number of gradients" in note for note in report.notes)
