"""What a planted bug is, and the decorators that plant one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch.autograd import Function

from tests.random_inputs import Inputs


@dataclass(frozen=True)
class PlantedBug:
    """One op that is wrong on purpose, beside the same op mended.

    Input tensors that need a gradient have requires_grad set; every argument is positional.
    A behavioural bug cannot be seen by comparing the gradients of a single plain backward:
    it needs a second call, another layout, a subset of inputs, poisoned memory, another order.
    """

    name: str
    wrong: Callable | type
    right: Callable | type
    reference: Callable
    ordinary: Inputs
    tripping: Inputs
    causes: tuple[str, ...]
    source: str
    behavioural: bool = False


def wrong_backward(right, *causes, **circumstances):
    """Plants a bug: the right rule, but with the decorated gradients."""
    return plants(right, "gradients", causes, **circumstances)


def wrong_forward(right, *causes, **circumstances):
    """Plants a bug: the right rule, but with the decorated forward."""
    return plants(right, "forward", causes, **circumstances)


def wrong_tangent(right, *causes, **circumstances):
    """Plants a bug: the right rule, but with the decorated forward-mode rule."""
    return plants(right, "jvp", causes, **circumstances)


def wrong_function(right, *causes, **circumstances):
    """Plants a bug: the decorated Function, or function, in place of the right one."""
    return plants(right, None, causes, **circumstances)


def plants(right, part, causes, *, source, reference=None, behavioural=False):
    """A decorator that makes the planted bug; what it decorates names it.

    The reference is torch's own derivative of the right forward where none is given.
    """

    def plant(wrong):
        ordinary, tripping = getattr(wrong, "inputs", None) or right.inputs
        return PlantedBug(
            name=in_words(wrong.__name__),
            wrong=wrong if part is None else changed(right, part, wrong),
            right=right,
            reference=reference or right.forward,
            ordinary=ordinary,
            tripping=tripping,
            causes=causes,
            source=source,
            behavioural=behavioural,
        )

    return plant


def at(ordinary, tripping=None):
    """Gives a slip its inputs, or a right rule those of all its slips that have none themselves.

    What trips the slip is drawn like ordinary inputs where it is not given.
    """

    def given(slip):
        slip.inputs = ordinary, tripping or ordinary
        return slip

    return given


def changed(rule: type[Function], part: str, wrong: Callable) -> type[Function]:
    """The rule with one part replaced."""
    body = {part: staticmethod(wrong), "__module__": wrong.__module__}
    return type(rule)(wrong.__name__, (rule,), body)


def in_words(name: str) -> str:
    """square_forgets_the_two or SquareForgetsTheTwo as words."""
    return re.sub("(?<!^)(?=[A-Z])", " ", name).replace("_", " ").lower()
