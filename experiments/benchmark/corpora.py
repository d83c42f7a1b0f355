"""What the checkers are tried on: bugs to be noticed, and right functions to be left in peace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.corpora import unseen
from tests.corpora.right_functions import RIGHT
from tests.corpora.wrong_ops import PLANTED


@dataclass(frozen=True)
class RightOne:
    """A function, what it is held to, and a draw of its inputs."""

    function: Any
    reference: Callable[..., Any]
    inputs: Callable[[Any], tuple[Any, ...]]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Corpus:
    """A bug has `wrong`, `reference`, inputs that trip it and ordinary ones, and its causes."""

    bugs: Sequence[Any]
    right: Sequence[RightOne]


DEVELOPED_ON = Corpus(
    PLANTED, [RightOne(r.function, r.function, r.inputs, r.kwargs) for r in RIGHT]
)
UNSEEN = Corpus(
    unseen.BUGS, [RightOne(op.written(), op.reference, op.inputs, {}) for op in unseen.RIGHT]
)
