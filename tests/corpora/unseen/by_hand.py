"""A function by hand, as somebody wrote it rightly, and the slips that others made in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.autograd import Function

from tests.random_inputs import Inputs


@dataclass(frozen=True)
class Slip:
    """One way to get a function wrong; it shows at `tripping`, perhaps at `ordinary` inputs too.

    Either is by default what stands before it: ordinary ones are tripping ones, which are those
    of the function.
    """

    name: str
    causes: tuple[str, ...]
    mechanism: str
    source: str
    tripping: Inputs | None = None
    ordinary: Inputs | None = None


@dataclass(frozen=True)
class ByHand:
    """`write(None)` is right, `write(slip.name)` has the slip; each call writes it anew.

    What is written is a pair (forward, backward), or a Function, a Module or a callable.
    """

    name: str
    write: Callable[[str | None], Any]
    reference: Callable
    inputs: Inputs
    slips: tuple[Slip, ...]
    in_its_right_form: bool

    def written(self, slip: str | None = None) -> Any:
        candidate = self.write(slip)
        if not isinstance(candidate, tuple):
            return candidate
        forward, backward = candidate
        body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        title = self.name.title().replace(" ", "")
        return type(Function)(title, (Function,), {**body, "__module__": self.write.__module__})


@dataclass(frozen=True)
class UnseenBug:
    """A function by hand with one of its slips."""

    op: ByHand
    slip: Slip

    @property
    def name(self) -> str:
        return f"{self.op.name}: {self.slip.name}"

    @property
    def wrong(self) -> Any:
        return self.op.written(self.slip.name)

    @property
    def reference(self) -> Callable:
        return self.op.reference

    @property
    def causes(self) -> tuple[str, ...]:
        return self.slip.causes

    @property
    def tripping(self) -> Inputs:
        return self.slip.tripping or self.op.inputs

    @property
    def ordinary(self) -> Inputs:
        return self.slip.ordinary or self.tripping


def by_hand(
    reference: Callable, inputs: Inputs, *slips: Slip, in_its_right_form: bool = True
) -> Callable[[Callable[[str | None], Any]], ByHand]:
    """A decorator for what writes a function; the written one is named after it."""

    def collected(write: Callable[[str | None], Any]) -> ByHand:
        name = write.__name__.replace("_", " ")
        return ByHand(name, write, reference, inputs, slips, in_its_right_form)

    return collected
