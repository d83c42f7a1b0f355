"""A function by hand, as somebody wrote it rightly, and the slips that others made in it.

Most consist of a forward and a backward that is given what forward kept: `backward_of` makes the
Function around a backward. What keeps something in another way is written out, with `by_hand`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

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
    in_its_right_form: bool
    slips: tuple[Slip, ...] = ()

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
    reference: Callable, inputs: Inputs, *, right: bool = True
) -> Callable[[Callable[[str | None], Any]], ByHand]:
    """A decorator for what writes a function; the written one is named after it.

    `right` is whether it has a right form, which is what it writes without a slip.
    """

    def collected(write: Callable[[str | None], Any]) -> ByHand:
        return ByHand(write.__name__.replace("_", " "), write, reference, inputs, right)

    return collected


def backward_of(
    reference: Callable,
    inputs: Inputs,
    *,
    forward: Callable | None = None,
    once: bool = False,
    right: bool = True,
) -> Callable[[Callable], ByHand]:
    """A decorator for a backward (slip, cotangents, whatever it names of what forward has).

    Forward has its inputs, its output `y`, and intermediates, which it returns in a dict beside
    the output; what backward names of these is kept, tensors by save_for_backward and others on
    ctx. `needs_input_grad` may be named too. Forward is the reference where none is given, which
    must then show the names of its arguments, as a builtin does not. With `once` the backward is
    once_differentiable; `right` is as in `by_hand`.
    """

    def collected(rule: Callable) -> ByHand:
        @wraps(rule)
        def write(slip: str | None) -> tuple[Callable, Callable]:
            keeping, given_what_is_kept = pair_around(forward or reference, rule, slip)
            return keeping, once_differentiable(given_what_is_kept) if once else given_what_is_kept

        return by_hand(reference, inputs, right=right)(write)

    return collected


def pair_around(
    run: Callable, rule: Callable, slip: str | None
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A Function's forward, which runs and keeps, and its backward, which follows the rule."""
    arguments, named = signature(run).parameters, signature(rule).parameters

    def forward(ctx, *inputs):
        returned = run(*inputs)
        with_intermediates = isinstance(returned, tuple) and isinstance(returned[-1], dict)
        y, intermediates = returned if with_intermediates else (returned, {})
        has = {"y": y, **dict(zip(arguments, inputs, strict=True)), **intermediates}
        kept = {name: has[name] for name in named if name in has}
        tensors = {name: x for name, x in kept.items() if isinstance(x, Tensor)}
        ctx.save_for_backward(*tensors.values())
        ctx.names = tuple(tensors)
        ctx.others = {name: x for name, x in kept.items() if name not in tensors}
        return y

    def backward(ctx, *cotangents):
        given = dict(zip(ctx.names, ctx.saved_tensors, strict=True), **ctx.others)
        if "needs_input_grad" in named:
            given["needs_input_grad"] = ctx.needs_input_grad
        return rule(slip, *cotangents, **given)

    # The checker calls arguments by their names, which *inputs would hide.
    ctx = Parameter("ctx", Parameter.POSITIONAL_OR_KEYWORD)
    forward.__signature__ = Signature([ctx, *arguments.values()])
    return forward, backward


def wrong(*row: Any, **shown_at: Inputs) -> Callable[[ByHand], ByHand]:
    """A decorator for a function by hand that others wrote with the slip of this row."""
    return lambda op: replace(op, slips=(Slip(*row, **shown_at), *op.slips))
