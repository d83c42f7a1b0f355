"""Functions that packages publish: the right ones are not called wrong, and their bugs are seen."""

import importlib.util

import pytest
import torch

from tests.packages.measure import NOT_THERE, PACKAGES, otherwise, tried
from tests.packages.published import Shelf

INSTALL = "pip install --no-deps -r requirements-packages.txt"


@pytest.mark.parametrize("package", PACKAGES)
def test_verdicts_on_what_a_package_publishes_are_true(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: {INSTALL}")
    status, told = tried(package, seeds=1)
    if status == NOT_THERE:
        pytest.skip(f"{told.strip()}: {INSTALL}")
    assert status == 0, told


@pytest.mark.parametrize(("reference", "is_right"), [(torch.sin, True), (torch.cos, False)])
@pytest.mark.parametrize("stated", [True, False])
def test_a_verdict_otherwise_than_it_should_be_is_seen(
    reference: object, is_right: bool, stated: bool
) -> None:
    shelf = Shelf("given")
    shelf.holds(lambda draw: (draw.normal(4, 3),), reference, right=stated)(torch.sin)
    assert otherwise(shelf, seeds=1) is (stated is not is_right)
