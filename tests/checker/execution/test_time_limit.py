"""Limits nest, raise once they are over, and end with their block."""

import time

import pytest

from torchref.checker.execution.time_limit import OutOfTimeError, require_time, time_limit


def test_a_limit_that_is_over_raises_until_its_block_ends() -> None:
    with time_limit(10), time_limit(0.001):
        time.sleep(0.002)
        with pytest.raises(OutOfTimeError):
            require_time()
    require_time()


def test_an_inner_limit_does_not_prolong_an_outer_one() -> None:
    with time_limit(0.001), time_limit(10):
        time.sleep(0.002)
        with pytest.raises(OutOfTimeError):
            require_time()


def test_it_passes_through_what_catches_the_failures_of_a_candidate() -> None:
    assert not issubclass(OutOfTimeError, Exception)


def test_a_limit_of_computing_does_not_count_waiting() -> None:
    with time_limit(0.05, time.thread_time):
        time.sleep(0.06)
        require_time()
