"""Limits nest, raise once they are over, and end with their block."""

import time

import pytest

from torchref.checker.execution.time_limit import OutOfTimeError, require_time, time_limit


@pytest.mark.parametrize(("outer", "inner"), [(10, 0.001), (0.001, 10)])
def test_the_shorter_limit_raises_until_its_block_ends(outer: float, inner: float) -> None:
    with time_limit(outer), time_limit(inner):
        time.sleep(0.002)
        with pytest.raises(OutOfTimeError):
            require_time()
    require_time()


def test_it_passes_through_what_catches_the_failures_of_a_candidate() -> None:
    assert not issubclass(OutOfTimeError, Exception)


def test_a_limit_of_computing_does_not_count_waiting() -> None:
    with time_limit(0.05, time.thread_time):
        time.sleep(0.06)
        require_time()
