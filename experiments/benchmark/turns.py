"""Times of several ways to the same, taken in turns within one process.

Whatever else the machine does hits all of them, and a ratio is taken within each round.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WARM_UP = 5  # runs, twice
Run = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Timing:
    """Seconds of a run of one way: the median, and the ratio of another's time to it."""

    way: str
    seconds: float
    ratio: float
    ratio_low: float  # the tenth percentile over the rounds
    ratio_high: float  # the ninetieth


def take_turns(
    runs: Mapping[str, Run],
    against: str,
    rounds: int,
    least: float,
    warm_up: int = WARM_UP,
    clock: Clock = time.perf_counter,
) -> list[Timing]:
    """Each round runs every way for about `least` seconds, another one first each time.

    On a machine that does other work too, `time.process_time` is the steadier clock.
    """
    for run in runs.values():
        seconds_of(run, warm_up, clock)
    repeats = {
        way: max(1, int(least / seconds_of(run, warm_up, clock))) for way, run in runs.items()
    }
    measured: dict[str, list[float]] = {way: [] for way in runs}
    for way in turns(list(runs), rounds):
        measured[way].append(seconds_of(runs[way], repeats[way], clock))
    return [timing_of(way, times, measured[against]) for way, times in measured.items()]


def turns(ways: Sequence[str], rounds: int) -> Iterator[str]:
    """Whose turn it is.

    >>> [*turns("abc", 2)]
    ['a', 'b', 'c', 'b', 'c', 'a']
    """
    for number in range(rounds):
        first = number % len(ways)
        yield from (*ways[first:], *ways[:first])


def timing_of(way: str, mine: list[float], others: list[float]) -> Timing:
    ratios = [other / own for other, own in zip(others, mine, strict=True)]
    low, *_, high = statistics.quantiles(ratios, n=10, method="inclusive")
    return Timing(way, statistics.median(mine), statistics.median(ratios), low, high)


def seconds_of(run: Run, repeats: int, clock: Clock = time.perf_counter) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats
