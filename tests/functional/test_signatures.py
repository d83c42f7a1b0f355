"""The same names, order and defaults as torch.nn.functional: a call moves over unchanged."""

import inspect
import re

import pytest
import torch.nn.functional as F

import torchref.functional as R
from tests.functional.side_by_side import SIDE_BY_SIDE

Parameters = list[tuple[str, object]]


def parameters(function: object) -> Parameters:
    signature = inspect.signature(function)
    return [(name, parameter.default) for name, parameter in signature.parameters.items()]


def torchs_parameters(name: str) -> Parameters:
    function = getattr(F, name)
    try:
        return parameters(function)
    except ValueError:  # builtins have their signature in the first line of their documentation
        written = re.search(rf"{name}\(.*\)", function.__doc__)
        scope: dict[str, object] = {}
        exec(f"def {written[0]}: pass", scope)
        return parameters(scope[name])


@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_the_signature_is_torchs(name: str) -> None:
    assert parameters(getattr(R, name)) == torchs_parameters(name)


def test_every_function_that_torch_has_is_compared() -> None:
    assert {name for name in R.__all__ if hasattr(F, name)} == set(SIDE_BY_SIDE)
    torchrefs_own = {"geglu", "homogeneous_linear", "squared_error", "swiglu"}
    assert set(R.__all__) - set(SIDE_BY_SIDE) == torchrefs_own


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("celu", "it is not handwritten yet. torch.nn.functional.celu works beside"),
        ("log_softmax", "the op alone, torchref.ops.LogSoftmax.call"),
        ("sigmod", r"no attribute 'sigmod'$"),
    ],
)
def test_what_is_not_there_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        getattr(R, name)
