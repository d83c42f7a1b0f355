"""The same names, order and defaults as torch.nn.functional: a call moves over unchanged."""

import inspect
import re

import pytest
import torch
import torch.nn.functional as F

import torchref.functional as R
from tests.functional.side_by_side import OF_TORCH, SIDE_BY_SIDE

Parameters = list[tuple[str, object]]


def parameters(function: object) -> Parameters:
    signature = inspect.signature(function)
    return [(name, parameter.default) for name, parameter in signature.parameters.items()]


def torchs_parameters(name: str) -> Parameters:
    # Those that may return indices too are one of two functions, chosen by a call.
    name = f"{name}_with_indices" if "max_pool" in name else name
    function = getattr(torch if name in OF_TORCH else F, name)
    try:
        return parameters(function)
    except ValueError:  # builtins have their signature at the head of their documentation
        written = re.search(rf"{name}\([^)]*\)", function.__doc__)
        scope: dict[str, object] = {}
        plain = re.sub(r": \w+(\[.*?\])?", "", written[0])  # some have their types there too
        exec(f"def {plain.replace(', out)', ', out=None)')}: pass", scope)
        return parameters(scope[name])


@pytest.mark.parametrize("name", SIDE_BY_SIDE + OF_TORCH)
def test_the_signature_is_torchs(name: str) -> None:
    assert parameters(getattr(R, name)) == torchs_parameters(name)


def test_every_function_that_torch_has_is_compared() -> None:
    """Those of torch.nn.functional and some of torch here, the rest with their families."""
    assert {name for name in R.__all__ if hasattr(F, name)} == set(SIDE_BY_SIDE)
    torchrefs_own = {"geglu", "homogeneous_linear", "sparsemax", "squared_error", "swiglu"}
    torchrefs_own |= {"linear_recurrence", "rotary_embedding", "rotary_tables"}
    torchrefs_own |= {"blockwise_attention"}
    elsewhere = {name for name in R.__all__ if hasattr(torch, name)} - set(SIDE_BY_SIDE)
    elsewhere |= {"solve"}  # of torch.linalg
    assert set(R.__all__) - set(SIDE_BY_SIDE) - elsewhere == torchrefs_own


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("celu", "it is not handwritten yet. torch.nn.functional.celu works beside"),
        ("log_loss", "the op alone, torchref.ops.LogLoss.call"),
        ("sigmod", r"no attribute 'sigmod'$"),
    ],
)
def test_what_is_not_there_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        getattr(R, name)
