"""What an expression may be: an input, a view of one, something computed, or not a tensor."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "input",  # of forward, itself
    "output",  # of forward, as setup_context receives it
    "grad",  # a gradient that backward receives
    "saved",  # a tensor that backward reads from ctx
    "view",  # another tensor in the same memory
    "perhaps itself",  # or a copy, where `contiguous` and the like have something to do
    "made",  # a tensor that was computed
    "result",  # of a call that the source does not show
    "tuple",
    "saved tensors",  # ctx.saved_tensors, before it is taken apart
    "none",
    "plain",  # a number, a shape, a flag
    "unknown",
]


@dataclass(frozen=True)
class Value:
    """One thing that an expression may be.

    `key` tells two things apart that were made in different places; `text` is how it is told.
    """

    kind: Kind
    text: str = ""
    key: tuple[int, ...] = ()
    base: "Value | None" = None
    items: tuple["Values", ...] = ()
    is_tensor: bool = field(default=False, compare=False)

    @property
    def root(self) -> "Value":
        """What it lies in the memory of."""
        return self.base.root if self.base is not None else self

    @property
    def may_be_a_copy(self) -> bool:
        copies = self.kind == "perhaps itself"
        return copies or (self.base is not None and self.base.may_be_a_copy)


Values = frozenset[Value]  # what it may be, by the paths that lead there

UNKNOWN: Values = frozenset([Value("unknown")])
PLAIN: Values = frozenset([Value("plain")])
NONE: Values = frozenset([Value("none")])


def one(value: Value) -> Values:
    return frozenset([value])


def tuple_of(items: list[Values]) -> Values:
    return one(Value("tuple", items=tuple(items)))


def only(values: Values) -> Value | None:
    """The one thing that it can be."""
    return next(iter(values)) if len(values) == 1 else None
