"""The functions of one, two and three dimensions are told apart by all that a reader sees."""

import inspect
import pickle

import pytest

import torchref.functional as R

NAMES = [
    f"{kind}{rank}d"
    for kind in ("conv", "conv_transpose", "max_pool", "avg_pool", "adaptive_max_pool")
    for rank in (1, 2, 3)
]


@pytest.mark.parametrize("name", NAMES)
def test_each_has_its_name_and_documentation(name: str) -> None:
    function = getattr(R, name)
    assert (function.__name__, function.__qualname__) == (name, name)
    assert function.__module__.startswith("torchref.functional.convolution.")
    assert pickle.loads(pickle.dumps(function)) is function
    assert "rank" not in {*inspect.signature(function).parameters, *function.__annotations__}
    shape = {"1": "see `", "2": "(N, C, H, W)", "3": "(N, C, D, H, W)"}[name[-2]]
    assert shape in function.__doc__
    first = f"{name[:-2]}1d"
    assert name == first or f"As `{first}`" in function.__doc__
