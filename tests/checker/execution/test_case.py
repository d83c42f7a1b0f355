"""Bad input gets one clear message each: what must hold, what arrived, and the likely fix."""

import re
import warnings

import pytest
import torch
from torch import Tensor, nn

from tests.checker.given import assert_wrong, case_of, normal
from tests.corpora.wrong_ops.rule import SavesInputs, gradients_of
from torchref import InputError, crosscheck
from torchref.checker.execution.case import build_case
from torchref.checker.execution.subject import as_subject
from torchref.ops import Affine, Sigmoid

X = normal(4, 3)


def raises(x: Tensor) -> Tensor:
    raise IndexError("nobody is here\nand not here")


@gradients_of(lambda x: x.clone())
def RaisesBackward(grad_y, x):
    raise ArithmeticError("lost")


NANS = X.index_put((torch.tensor([1, 0]), torch.tensor([2, 0])), torch.tensor(torch.nan).double())
NO_FUNCTION = "torch.autograd.Function"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch calls both a prototype
    HALVES = torch.ones(3, dtype=torch.complex32)
    NESTED = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])

REFUSED = {
    "no inputs": ({"inputs": None}, "needs inputs", "were left out"),
    "inputs in the place of the reference": (
        {"reference": (X,), "inputs": None},
        "a tuple arrived in the place of the reference",
    ),
    "a seed below 0": ({"seed": -1}, "seed must lie in 0 … 4294967295", "-1 arrived"),
    "a seed that no generator takes": (
        {"seed": 10**30},
        *("seed must lie in 0 … 4294967295", f"{10**30} arrived"),
    ),
    "a tensor instead of a tuple": (
        {"inputs": X},
        *("a tuple of arguments", "a tensor arrived", "Write (x,)"),
    ),
    "integers": ({"inputs": (torch.arange(3),)}, "floating-point or complex", "torch.int64"),
    "no tensor at all": ({"inputs": (3.0,)}, "floating-point or complex", "but only float arrived"),
    "NaN": ({"inputs": (NANS,)}, "no NaN", "x has 2 of them"),
    "an int that is no function": ({"candidate": 3}, NO_FUNCTION, "int"),
    "a str that is no function": ({"candidate": "sigmoid"}, NO_FUNCTION, "str"),
    "a tensor that is no function": ({"candidate": X}, NO_FUNCTION, "Tensor"),
    "None that is no function": ({"candidate": None}, NO_FUNCTION, "NoneType"),
    "a class that is no function": ({"candidate": nn.Linear}, "the class Linear", "an instance"),
    "a reference that is no function": (
        {"reference": "sigmoid"},
        *(NO_FUNCTION, "an object of type str"),
    ),
    "a reference that raises": (
        {"reference": raises},
        *("the reference must accept the inputs", "IndexError: nobody is here", "as given"),
    ),
    "a reference whose backward raises": (
        {"reference": RaisesBackward},
        *("the reference must accept", "backward raised ArithmeticError: lost"),
    ),
    "outputs of another shape": (
        {"reference": lambda x: x.sigmoid().sum(1)},
        *("same shapes", "(4, 3)", "(4,)"),
    ),
    "another number of outputs": (
        {"reference": lambda x: (x.sigmoid(), x)},
        *("same number", "(4, 3), (4, 3)"),
    ),
    "a candidate without an output": ({"candidate": lambda x: None}, "same number", "no tensor"),
    "complex numbers of 16 bits": (
        {"inputs": (HALVES,)},
        *("compare and add up", "x is complex32", "complex64"),
    ),
    "a nested tensor": (
        {"inputs": (NESTED,)},
        *("compare and add up", "x is nested", "parts"),
    ),
    "unknown names in wrt": ({"wrt": ["y"]}, "wrt must name", "of x", "y arrived"),
    "nothing in wrt": ({"wrt": []}, "wrt must name", "nothing arrived"),
    "an integer in wrt": (
        {
            "candidate": Affine,
            "inputs": {"x": X, "weight": torch.ones(2, 3), "bias": torch.arange(2)},
            "wrt": ["bias"],
        },
        *("of x, weight", "bias arrived"),
    ),
    "unknown kwargs of a function": (
        {"kwargs": {"slope": 2}},
        *("kwargs must name arguments of forward", "'slope' arrived"),
    ),
    "unknown names of inputs": (
        {"inputs": {"input": X}},
        *("named as its arguments x", "input arrived"),
    ),
    "a name left out before the last": (
        {"candidate": Affine, "reference": None, "inputs": {"x": X, "bias": torch.ones(2)}},
        "weight is not there",
    ),
}


@pytest.mark.parametrize("called", REFUSED)
def test_bad_input_is_refused_in_one_line(called: str) -> None:
    given, *words = REFUSED[called]
    given = {"candidate": Sigmoid, "reference": torch.sigmoid, "inputs": (X,)} | given
    with pytest.raises(InputError) as refusal:
        crosscheck(**given)
    message = str(refusal.value)
    assert "\n" not in message
    assert ", but " in message
    assert message.endswith((".", "?"))
    for word in words:
        assert word in message, message


def test_what_the_candidate_raises_is_a_finding_and_no_bad_input() -> None:
    (finding,) = assert_wrong(raises, torch.sigmoid, (X,)).findings
    assert finding.cause == "raises"
    assert finding.evidence == "raises's forward raised IndexError: nobody is here"


def test_what_the_candidates_backward_raises_is_a_finding() -> None:
    class Raises(SavesInputs):
        @staticmethod
        def forward(x):
            return x.sigmoid()

        @staticmethod
        def backward(ctx, grad_y):
            return ctx.nothing

    (finding,) = crosscheck(Raises, torch.sigmoid, (X,)).findings
    assert finding.cause == "raises"
    assert re.match(r"Raises's backward raised AttributeError: .*nothing", finding.evidence)


def test_an_output_that_is_cut_off_from_its_inputs_is_a_finding() -> None:
    report = crosscheck(lambda x: x.detach().sigmoid(), torch.sigmoid, (X,))
    assert [finding.cause for finding in report.findings] == ["missing-gradient"]


def test_names_come_from_the_signature() -> None:
    assert case_of(Affine, X, normal(2, 3), None).names == ("x", "weight", "bias")
    assert case_of(lambda first, *rest: first, X, X, X).names == ("first", "rest[0]", "rest[1]")
    assert case_of(torch.mul, X, X).names == ("input0", "input1")
    assert case_of(lambda pair: pair, (X, [X])).names == ("pair[0]", "pair[1][0]")
    module = as_subject(nn.Linear(3, 2).double())
    assert build_case(module, (X,), None, None).names == ("input", "weight", "bias")


def test_an_old_style_function_has_no_argument_ctx() -> None:
    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            return x * weight

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y, grad_y

    assert case_of(Old, X, X).names == ("x", "weight")


def test_another_precision_keeps_integers_and_flags() -> None:
    case = case_of(lambda x, i, flag, z: x, X, torch.arange(2), True, X.to(torch.complex128))
    single = case.to(torch.float32)
    assert [leaf.dtype for leaf in single.arguments] == [torch.float32, torch.complex64]
    assert single.leaves[1].dtype is torch.int64
    assert single.leaves[2] is True
    assert case.arguments[0].dtype is torch.float64


def test_a_derived_case_differentiates_what_it_still_can() -> None:
    case = case_of(Affine, X, normal(2, 3), normal(2))
    derived = case.derived("without a bias", {2: None})
    assert derived.argument_names == ("x", "weight")
    assert case.argument_names == ("x", "weight", "bias")
    assert case.without([0]).elements == 8


def test_a_perturbation_reaches_what_is_not_differentiated_but_for_its_whole_numbers() -> None:
    mask = torch.tensor([0.0, 1.0, -torch.inf, 0.25], dtype=torch.float64)
    case = build_case(as_subject(torch.mul), (normal(4), mask), None, None).without([1])
    moved, there = case.perturbed("moved", lambda x: 1.5 * x).leaves
    assert torch.equal(moved, 1.5 * case.leaves[0])
    assert there.tolist() == [0.0, 1.0, -torch.inf, 0.375]
