"""The claimed slope beside the numeric one, where both are too small to be normal numbers."""

from torchref.checker.oracles.differences import _worst
from torchref.checker.oracles.directional_derivative import Slope


def test_of_subnormal_slopes_no_digit_is_asked() -> None:
    assert _worst(Slope(5e-322, 0.0, 1.0), 1e-321, 0.0) < 1


def test_a_wrong_slope_is_beyond_its_tolerance() -> None:
    assert _worst(Slope(2.0, 1e-12, 1.0), 1.0, 1e-14) > 1e6
    assert _worst(Slope(2.0, 1e-12, 1.0), 2.0, 1e-14) == 0
