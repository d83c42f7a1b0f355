"""One row of the table of causes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from torchref.checker.causes.mismatch import Mismatch
from torchref.checker.causes.questions import Ask

Predicts = Callable[[Mismatch], Iterator[tuple[str, Tensor]]]
Fits = Callable[[Mismatch], Iterator[str]]


@dataclass(frozen=True)
class Cause:
    """What a finding of this cause says, where to look first, and how the cause is recognised.

    A gradient that equals one that the cause `predicts` has it; nothing is fitted then. A
    prediction of another shape, or that is the true gradient, tells nothing. What `fits` compares
    for itself, with as many choices as its number says: a factor is one, a factor for each slice
    are many. The cause that leaves the fewest choices is named, and what is `vague`, since it fits
    much that has a better name, only where no other is. What a cause `asks` is put to the true
    backward: with which inputs or cotangents in place of its own does it give what was got?
    `asks_of_few` are many questions, for cases of few elements.
    """

    meaning: str
    look_at: str
    predicts: Sequence[Predicts] = ()
    fits: Sequence[tuple[int, Fits]] = ()
    vague: Sequence[Fits] = ()
    asks: Sequence[Ask] = ()
    asks_of_few: Sequence[Ask] = ()
