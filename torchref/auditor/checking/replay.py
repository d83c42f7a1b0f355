"""A kept call, called again: the Function or the custom op itself, with what the program gave."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import Parameter, Signature
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.auditor.checking.holders import Holders, holders_of, objects_of
from torchref.auditor.checking.structure import Structure
from torchref.auditor.recording.definition import custom_op_of
from torchref.auditor.recording.kept_call import KeptCall, copied
from torchref.checker.execution.arithmetic import is_differentiable
from torchref.checker.execution.subject import argument_name, function_argument_names
from torchref.checker.promise import LAYOUTS, VARIED

ROUNDED = 2.0**-6  # relative: numbers of 16 bits are nearer to what they were


@dataclass(frozen=True)
class Replay:
    """A kept call as it is called again.

    `holders` are the objects among its arguments, where they hold tensors and can be made anew for
    each call; `structures` the matrices that stay symmetric or triangular. `is_opaque` says whether
    an object is given that may hold tensors, nobody knows which.
    """

    call: KeptCall
    holders: Holders | None = None
    structures: tuple[Structure, ...] = ()
    is_opaque: bool = False

    @classmethod
    def of(cls, call: KeptCall) -> "Replay":
        holders = holders_of(call)
        if holders is None or not (holders.held or holders.own):
            opaque = bool(objects_of(call)) if holders is None else holders.opaque
            return cls(call, None, (), opaque)
        replay = cls(call, holders, (), holders.opaque)
        return replay if _is_accepted(replay) else cls(call, None, (), True)

    def keeping(self, structures: tuple[Structure, ...]) -> "Replay":
        """The same call, of matrices that stay what they are."""
        return replace(self, structures=structures)

    @property
    def candidate(self) -> Any:
        """What the cross-check calls: the Function itself where it can be."""
        function, random, drew = self.call.function, self.call.random, self.call.drew
        op = custom_op_of(function)
        changes = [each.projected for each in self.structures]
        if self.holders is not None:
            changes.append(self.holders.in_place)
        if op is None and not drew and not changes:
            return function

        def again(*args: Any, **kwargs: Any) -> Any:
            if changes:
                leaves, spec = pytree.tree_flatten((args, kwargs))
                for change in changes:
                    leaves = change(leaves)
                args, kwargs = pytree.tree_unflatten(leaves, spec)
            if drew:
                random.set()  # the numbers that it drew in the program
            return (function.apply if op is None else op)(*args, **kwargs)

        return _named(again, function, title(function))

    @property
    def apply(self) -> Callable[..., Any]:
        """What applies it."""
        candidate = self.candidate
        return getattr(candidate, "apply", candidate)

    @property
    def weighed(self) -> Callable[..., Tensor] | None:
        """Its outputs weighed by the cotangents that the program sent back; None where none came.

        The backward of this one number brings the Function just those, times a number.
        """
        apply, cotangents = self.apply, self.call.cotangents
        if cotangents is None or not any(c is not None and c.any() for c in cotangents):
            return None

        def outputs_weighed(*args: Any, **kwargs: Any) -> Tensor:
            args, kwargs = pytree.tree_map_only(
                Tensor, Tensor.clone, (args, kwargs)
            )  # to work in place
            outputs = pytree.tree_leaves(apply(*args, **kwargs))
            terms = [
                (y * c.conj()).real.sum() if y.is_complex() else (y * c).sum()
                for y, c in zip(outputs, cotangents, strict=True)
                if c is not None and isinstance(y, Tensor) and is_differentiable(y)
            ]
            return torch.stack(terms).sum()

        function = self.call.function
        return _named(
            outputs_weighed, function, f"{title(function)} with the program's grad_output"
        )

    @property
    def differentiated(self) -> list[str]:
        """The names of the arguments that required grad, as the cross-check has them."""
        return [name for name, x in self._learnt if is_differentiable(x)]

    @property
    def not_judged(self) -> list[str]:
        """The names of those among them that are sparse, of which no gradient is checked."""
        return [name for name, x in self._learnt if not is_differentiable(x)]

    @property
    def _learnt(self) -> list[tuple[str, Any]]:
        all_leaves = zip(self.leaf_names, self.call.leaves, self.call.requires_grad, strict=True)
        return [(name, x) for name, x, needs in all_leaves if needs]

    @property
    def held_names(self) -> set[str]:
        """The names of the arguments that objects beside them hold as well, or may hold."""
        held = frozenset() if self.holders is None else self.holders.held
        if self.is_opaque:
            return set(self.differentiated)
        return {self.leaf_names[place] for place in held}

    @property
    def leaf_names(self) -> list[str]:
        """The names of the leaves of the arguments, as the cross-check has them."""
        names = _names(self.call.function)
        paths, _ = pytree.tree_flatten_with_path((self.call.args, self.call.kwargs))
        found = []
        for path, _ in paths:
            place: Any = path[1]
            is_keyword = isinstance(place, pytree.MappingKey)
            name = str(place.key) if is_keyword else argument_name(place.idx, names)
            found.append(name + pytree.keystr(path[2:]))
        return found

    def promised(self, has_reference: bool) -> dict[str, Any]:
        """What the cross-check must not hold against it, as further options.

        Without a reference nothing witnesses which other options a Function takes, nor what goes
        with what the program does not differentiate: filters of one family, a matrix and its
        factor.
        """
        held: dict[str, Any] = {}
        left_out = {LAYOUTS} if self.call.drew else set()  # other strides get other random numbers
        if not has_reference:
            left_out.add("options")
            held["domain"] = _domain(self.call, self.structures)
        held["vary"] = tuple(kind for kind in VARIED if kind not in left_out)
        return held


def _is_accepted(replay: Replay) -> bool:
    """Whether the Function takes what was made anew: not all that is pickled is as it was."""
    args, kwargs = pytree.tree_map_only(Tensor, copied, (replay.call.args, replay.call.kwargs))
    with suppress(Exception), torch.no_grad():
        replay.apply(*args, **kwargs)
        return True
    return False


def _domain(call: KeptCall, structures: tuple[Structure, ...]) -> Callable[..., bool]:
    """Whether all that is not differentiated is as the program gave it, and so are the shapes.

    Where all tensors are differentiated, other shapes are no matter of what goes with them.
    """
    given, requires_grad, keywords = call.leaves, call.requires_grad, tuple(call.kwargs)
    kept = [x for x, needs in zip(given, requires_grad, strict=True) if not needs]
    may_change_shape = not any(isinstance(x, Tensor) for x in kept)

    def keeps(*args: Any, **kwargs: Any) -> bool:
        leaves = pytree.tree_leaves((args, {name: kwargs[name] for name in keywords}))
        return (
            len(leaves) == len(given)
            and all(
                (may_change_shape or x.shape == before.shape) if needs else _is_as_before(x, before)
                for x, before, needs in zip(leaves, given, requires_grad, strict=True)
            )
            and all(structure.admits(leaves) for structure in structures)
        )

    return keeps


def _is_as_before(x: Any, before: Any) -> bool:
    """The same up to a rounding to a lower precision."""
    if not isinstance(before, Tensor) or before.layout is not torch.strided:
        return type(x) is type(before)
    return x.shape == before.shape and torch.allclose(
        x.to(before.dtype), before, rtol=ROUNDED, atol=0, equal_nan=True
    )


def title(function: type[Function]) -> str:
    """What the cross-check calls it."""
    op = custom_op_of(function)
    return function.__name__ if op is None else f"{op._namespace}::{op._opname}"


def _names(function: type[Function]) -> tuple[str, ...] | None:
    op = custom_op_of(function)
    if op is None:
        return function_argument_names(function)
    return tuple(each.name for each in op._schema.arguments if not each.kwarg_only)


def _named(call: Callable[..., Any], function: type[Function], name: str) -> Callable[..., Any]:
    """The call, with that name and the signature of the Function."""
    call.__name__ = name
    names = _names(function)
    if names is not None:
        call.__signature__ = _signature(names)  # type: ignore[attr-defined]  # read by inspect
    return call


def _signature(names: tuple[str, ...]) -> Signature:
    kinds = (
        (
            name.rstrip("*"),
            Parameter.VAR_POSITIONAL if name[-1] == "*" else Parameter.POSITIONAL_ONLY,
        )
        for name in names
    )
    keywords = Parameter("further", Parameter.VAR_KEYWORD)
    return inspect.Signature([*(Parameter(*each) for each in kinds), keywords])
