"""Functions that packages publish: the right ones are not called wrong, and their bugs are seen."""

import importlib.util

import pytest

from tests.packages.measure import PACKAGES, tried

INSTALL = "pip install --no-deps -r requirements-packages.txt"


@pytest.mark.parametrize("package", PACKAGES)
def test_verdicts_on_what_a_package_publishes_are_true(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: {INSTALL}")
    status, told = tried(package, seeds=1)
    assert status == 0, told
