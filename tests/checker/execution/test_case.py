"""Bad input gets one clear message each: what must hold, what arrived, and the likely fix."""

import re

import pytest
import torch
from torch import Tensor, nn

from tests.checker.given.runs import case_of, normal
from tests.corpora.wrong_ops.rule import SavesInputs, gradients_of
from torchref import InputError, crosscheck
from torchref.checker.execution.case import build_case
from torchref.checker.execution.subject import as_subject
from torchref.ops import Affine, Sigmoid

X = normal(4, 3)


def refused(*words: str, candidate=Sigmoid, reference=torch.sigmoid, inputs=(X,), **kwargs) -> None:
    """One `InputError` of one line that has all the words."""
    with pytest.raises(InputError) as refusal:
        crosscheck(candidate, reference, inputs, **kwargs)
    message = str(refusal.value)
    assert "\n" not in message
    assert ", but " in message
    assert message.endswith((".", "?"))
    for word in words:
        assert word in message, message


def test_no_inputs() -> None:
    refused("needs inputs", "were left out", inputs=None)


def test_inputs_in_the_place_of_the_reference() -> None:
    refused("a tuple arrived in the place of the reference", reference=(X,), inputs=None)


@pytest.mark.parametrize("seed", [-1, 10**30])
def test_a_seed_that_no_generator_takes(seed: int) -> None:
    refused("seed must lie in 0 … 4294967295", f"{seed} arrived", seed=seed)


def test_a_tensor_instead_of_a_tuple() -> None:
    refused("a tuple of arguments", "a tensor arrived", "Write (x,)", inputs=X)


def test_integers() -> None:
    refused("floating-point or complex", "torch.int64", inputs=(torch.arange(3),))


def test_no_tensor_at_all() -> None:
    refused("floating-point or complex", "no tensor arrived", inputs=(3.0,))


def test_nan() -> None:
    x = X.clone()
    x[1, 2] = x[0, 0] = torch.nan
    refused("no NaN", "x has 2 of them", inputs=(x,))


@pytest.mark.parametrize("bad", [3, "sigmoid", X, None], ids=["int", "str", "tensor", "None"])
def test_an_object_that_is_no_function(bad: object) -> None:
    refused("torch.autograd.Function", type(bad).__name__, candidate=bad)


def test_a_class_that_is_no_function() -> None:
    refused("the class Linear", "an instance", candidate=nn.Linear)


def test_a_reference_that_is_no_function() -> None:
    refused("torch.autograd.Function", "an object of type str", reference="sigmoid")


def test_a_reference_that_raises() -> None:
    def raises(x: Tensor) -> Tensor:
        raise IndexError("nobody is here\nand not here")

    words = ("the reference must accept the inputs", "IndexError: nobody is here", "as given")
    refused(*words, reference=raises)


def test_a_reference_whose_backward_raises() -> None:
    @gradients_of(lambda x: x.clone())
    def Raises(grad_y, x):
        raise ArithmeticError("lost")

    refused("the reference must accept", "backward raised ArithmeticError: lost", reference=Raises)


def test_outputs_of_another_shape() -> None:
    refused("same shapes", "(4, 3)", "(4,)", reference=lambda x: x.sigmoid().sum(1))


def test_another_number_of_outputs() -> None:
    refused("same number", "(4, 3), (4, 3)", reference=lambda x: (x.sigmoid(), x))


def test_a_candidate_without_an_output() -> None:
    refused("same number", "no tensor", candidate=lambda x: None)


def test_unknown_names_in_wrt() -> None:
    refused("wrt must name", "of x", "y arrived", wrt=["y"])


def test_nothing_in_wrt() -> None:
    refused("wrt must name", "nothing arrived", wrt=[])


def test_an_integer_in_wrt() -> None:
    inputs = {"x": X, "weight": torch.ones(2, 3), "bias": torch.arange(2)}
    refused("of x, weight", "bias arrived", candidate=Affine, inputs=inputs, wrt=["bias"])


def test_unknown_kwargs_of_a_function() -> None:
    refused("kwargs must name arguments of forward", "'slope' arrived", kwargs={"slope": 2})


def test_unknown_names_of_inputs() -> None:
    refused("named as its arguments x", "input arrived", inputs={"input": X})


def test_a_name_left_out_before_the_last() -> None:
    inputs = {"x": X, "bias": torch.ones(2)}
    refused("weight is not there", candidate=Affine, reference=None, inputs=inputs)


def test_what_the_candidate_raises_is_a_finding_and_no_bad_input() -> None:
    def raises(x: Tensor) -> Tensor:
        raise ZeroDivisionError("by 0")

    report = crosscheck(raises, torch.sigmoid, (X,))
    assert report.verdict == "wrong"
    (finding,) = report.findings
    assert finding.cause == "raises"
    assert finding.evidence == "raises's forward raised ZeroDivisionError: by 0"


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
