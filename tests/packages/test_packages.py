"""Functions that packages publish: the right ones are not called wrong, and their bugs are seen."""

import pytest

from tests.packages.measure import NOT_INSTALLED, PACKAGES, tried


@pytest.mark.parametrize("package", PACKAGES)
def test_verdicts_on_what_a_package_publishes_are_true(package: str) -> None:
    status, told = tried(package, seeds=1)
    if status == NOT_INSTALLED:
        pytest.skip(told.strip())
    assert status == 0, told
