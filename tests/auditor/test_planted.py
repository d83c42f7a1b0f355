"""One mistake in one Function of a small training, and what the audit says of it."""

from collections.abc import Callable
from typing import Any

import pytest
from torch.autograd import Function

import torchref
from tests.auditor.planted import PLANTED, train


@pytest.mark.parametrize(
    ("function", "layer", "cause"), PLANTED, ids=lambda x: getattr(x, "__name__", "")
)
def test_it_is_found_with_its_cause(
    function: type[Function], layer: Callable[..., Any], cause: str
) -> None:
    with torchref.audit() as audit:
        train(layer)
    (row,) = audit.report().rows
    assert (row.name, row.calls, row.verdict) == (function.__name__, 5, "wrong")
    assert row.cause == cause, row.reports[0]
