"""The verdict on a product of factors, from what others say of the same derivative."""

import math

import pytest

from torchref.checker.oracles.directional_derivative import Slope
from torchref.explainer.chain.verdict.evidence import Evidence

EXACT = Slope(2.0, error=1e-13, step=0.125)
UNKNOWN = Slope(2.0, error=math.inf, step=0.125)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence(2.0, 2.0, EXACT, 2.0), "right"),
        (Evidence(2.0, 2.0 + 1e-12, EXACT, 2.0), "right"),
        (Evidence(2.0, 2.0 + 1e-11, EXACT, 2.0), "wrong"),
        (Evidence(2.0, 2.0 + 1e-11, EXACT, 2e3), "right"),  # relative to all that was added up
        (Evidence(2.0 + 1e-11, 2.0 + 1e-11, EXACT, 2.0), "wrong"),
        (Evidence(2.0, 2.0, UNKNOWN, 2.0), "cannot tell"),
        (Evidence(3.0, 2.0, UNKNOWN, 2.0), "wrong"),
        (Evidence(math.nan, 2.0, EXACT, 2.0), "cannot tell"),
        (Evidence(2.0, math.inf, EXACT, 2.0), "cannot tell"),
    ],
)
def test_verdict(evidence: Evidence, verdict: str) -> None:
    assert evidence.verdict == verdict
