"""Whatever is checked, as a function of a flat list of leaves."""

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from tests.checker.given import assert_right, backward_in, normal
from tests.corpora.wrong_ops.right_rules import Power, Square
from torchref import crosscheck
from torchref.checker.execution.subject import as_subject
from torchref.errors import InputError

X = normal(4, 3)


class InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        y = x.clamp_(min=0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_y):
        (y,) = ctx.saved_tensors
        return grad_y * (y > 0)


def called(candidate, *args, **kwargs) -> tuple[Tensor, ...]:
    subject = as_subject(candidate)
    leaves, spec = pytree.tree_flatten((args, kwargs, dict(subject.state)))
    return subject.outputs(spec, leaves)


@pytest.mark.parametrize(
    ("candidate", "title", "names"),
    [
        (Square, "Square", ("x",)),
        (Square.apply, "Square", ("x",)),
        (Power, "Power", ("x", "exponent")),
        (nn.Linear(3, 2), "Linear", ("input",)),
        (lambda x, *others: x, "<lambda>", ("x", "others*")),
        (torch.sin, "sin", None),
        (InPlace, "InPlace", ("x",)),  # with ctx in forward
    ],
)
def test_title_and_names(candidate, title: str, names: tuple[str, ...] | None) -> None:
    subject = as_subject(candidate)
    assert (subject.title, subject.names) == (title, names)


def test_tensors_alone_are_outputs_whatever_holds_them() -> None:
    outputs = called(lambda x: {"a": x, "b": [x + 1, "text", None], "c": 3}, X)
    assert [torch.equal(y, x) for y, x in zip(outputs, (X, X + 1), strict=True)] == [True, True]


def test_keywords_of_a_function_find_their_places() -> None:
    assert torch.equal(called(Power, X, exponent=3)[0], X**3)
    with pytest.raises(InputError, match="'power' arrived"):
        called(Power, X, power=3)


def test_a_module_keeps_its_parameters_and_buffers() -> None:
    module = nn.BatchNorm1d(3).double()
    before = {name: x.clone() for name, x in module.state_dict().items()}
    called(module, X)
    assert all(torch.equal(x, before[name]) for name, x in module.state_dict().items())


@pytest.mark.parametrize("candidate", [nn.Linear, 3, "sin", None])
def test_what_cannot_be_called_is_refused(candidate) -> None:
    with pytest.raises(InputError, match="crosscheck takes"):
        as_subject(candidate)


def test_on_copies_the_leaf_is_left_alone() -> None:
    subject, leaf = as_subject(InPlace).on_copies(), X.clone().requires_grad_()
    _, spec = pytree.tree_flatten(((leaf,), {}, {}))
    (y,) = subject.outputs(spec, [leaf])
    assert torch.equal(leaf, X)
    assert torch.equal(y, X.relu())


@pytest.mark.parametrize("reference", [torch.relu, torch.relu_, InPlace, None])
def test_what_works_in_place_is_given_copies(reference) -> None:
    report = assert_right(InPlace, reference, (X,))
    assert any("InPlace writes into its inputs" in note for note in report.notes)


def test_an_input_that_changes_behind_the_output_is_no_work_in_place() -> None:
    def shifted(x):
        x -= x.max()
        return x.exp()

    (finding,) = crosscheck(shifted, lambda x: (x - x.max()).exp(), (X,)).findings
    assert finding.cause == "raises"
    assert "an input is changed in place" in finding.evidence


def test_in_place_is_no_excuse() -> None:
    @backward_in(InPlace)
    def Wrong(ctx, grad_y):
        return 2 * InPlace.backward(ctx, grad_y)

    assert crosscheck(Wrong, torch.relu, (X,)).findings[0].cause == "constant-factor"


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_function_is_given_as_a_class() -> None:
    with pytest.raises(InputError, match="an instance of Square arrived"):
        as_subject(Square())
