"""One set of inputs, flattened: what varies from check to check while the call stays the same."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from torchref.checker.execution.arithmetic import (
    are_finite,
    is_differentiable,
    is_floating,
    is_freed,
)
from torchref.checker.execution.subject import Subject, argument_name
from torchref.errors import InputError


@dataclass(frozen=True)
class Case:
    """Leaves with their names, the way back to a call, and which of them are differentiated.

    `label` says in words where the inputs come from: "as given", "zeros in x", ...; `parameters`
    are the places of a module's own leaves, whose sizes belong to it; `dtype_given` is that of the
    user's inputs, where they were made float64.
    """

    leaves: tuple[Any, ...]
    names: tuple[str, ...]
    spec: pytree.TreeSpec
    wrt: tuple[int, ...]
    label: str = "as given"
    parameters: frozenset[int] = frozenset()
    dtype_given: torch.dtype | None = None

    def derived(self, label: str, changes: Mapping[int, Any]) -> "Case":
        """The same call with some leaves changed."""
        leaves = tuple(changes.get(i, leaf) for i, leaf in enumerate(self.leaves))
        wrt = tuple(i for i in self.wrt if is_differentiable(leaves[i]))
        return replace(self, leaves=leaves, label=label, wrt=wrt)

    def perturbed(self, label: str, change: Callable[[Tensor], Tensor]) -> "Case":
        """Every floating-point or complex leaf changed a little, differentiated or not.

        In those that are not, whole numbers stay: they are labels, masks and counts; so does
        what is not finite.
        """
        floating = {i: x for i, x in enumerate(self.leaves) if is_differentiable(x)}
        changes = {i: torch.where(x.isfinite(), change(x), x) for i, x in floating.items()}
        for i in changes.keys() - set(self.wrt):
            x = self.leaves[i]
            real = torch.view_as_real(x.resolve_conj()) if x.is_complex() else x
            whole = real == real.round()
            changes[i] = torch.where(whole.all(-1) if x.is_complex() else whole, x, changes[i])
        return self.derived(label, changes)

    def to(self, dtype: torch.dtype) -> "Case":
        """The same case with every floating-point or complex leaf in a precision."""
        complex_dtype = dtype.to_complex() if dtype != torch.bfloat16 else torch.complex32
        leaves = tuple(
            leaf.to(complex_dtype if leaf.is_complex() else dtype) if is_floating(leaf) else leaf
            for leaf in self.leaves
        )
        return replace(self, leaves=leaves)

    def without(self, places: Collection[int]) -> "Case":
        """The same case with some leaves not differentiated."""
        return replace(self, wrt=tuple(i for i in self.wrt if i not in places))

    @property
    def arguments(self) -> tuple[Tensor, ...]:
        """The leaves that are differentiated."""
        return tuple(self.leaves[i] for i in self.wrt)

    @property
    def argument_names(self) -> tuple[str, ...]:
        return tuple(self.names[i] for i in self.wrt)

    @cached_property
    def infinities(self) -> int:
        """How many entries of the inputs are infinite."""
        floating = [x for x in self.leaves if is_differentiable(x)]
        return 0 if are_finite(floating) else sum(int(torch.isinf(x).sum()) for x in floating)

    @cached_property
    def elements(self) -> int:
        """How many entries are differentiated."""
        return sum(x.numel() for x in self.arguments)

    @property
    def device(self) -> torch.device:
        return next((x.device for x in self.leaves if isinstance(x, Tensor)), torch.device("cpu"))


def build_case(
    subject: Subject,
    inputs: Sequence[Any] | Mapping[str, Any],
    kwargs: Mapping[str, Any] | None,
    wrt: Collection[str] | None,
    fallback_names: tuple[str, ...] | None = None,
) -> Case:
    """The user's inputs as a case; every floating-point tensor among them is differentiated."""
    names = subject.names or fallback_names
    args = _positional(subject, inputs, names)
    tree = (args, dict(kwargs or {}), dict(subject.state))
    paths, spec = pytree.tree_flatten_with_path(tree)
    leaves = tuple(leaf.detach() if isinstance(leaf, Tensor) else leaf for _, leaf in paths)
    named = tuple(_leaf_name(path, names) for path, _ in paths)
    found = tuple(i for i, leaf in enumerate(leaves) if is_differentiable(leaf))
    if not found:
        kinds = sorted({_kind(x) for x in leaves if isinstance(x, Tensor)})
        others = ", ".join(sorted({type(x).__name__ for x in leaves}))
        raise InputError(
            f"{subject.title}: at least one input must be dense, and floating-point or complex",
            f"{', '.join(kinds) or (f'only {others}' if others else 'no tensor')} arrived",
            "Only such inputs have a gradient: convert one with .double()."
            if kinds
            else "Wrap what holds numbers: torch.as_tensor(x).",
        )
    for name, leaf in zip(named, leaves, strict=True):
        if isinstance(leaf, Tensor) and (leaf.is_nested or leaf.dtype is torch.complex32):
            raise InputError(
                f"{subject.title}: the inputs must be tensors that torch can compare and add up",
                f"{name} is {'nested' if leaf.is_nested else 'complex32'}",
                "Call it on the parts of a nested tensor, in a function of its own."
                if leaf.is_nested
                else "Give complex64.",
            )
        if isinstance(leaf, Tensor) and leaf.is_meta:
            raise InputError(
                f"{subject.title}: the inputs must hold their numbers",
                f"{name} is on the meta device",
                "Make it on a real device, as by torch.randn_like(x, device='cpu').",
            )
        if isinstance(leaf, Tensor) and is_freed(leaf):
            raise InputError(
                f"{subject.title}: the inputs must hold their numbers",
                f"the memory of {name} has been freed",
                "An earlier call may have freed it, as reversible blocks do: give it a copy.",
            )
    for i in found:
        if torch.isnan(leaves[i]).any():
            raise InputError(
                f"{subject.title}: the inputs must hold no NaN",
                f"{named[i]} has {int(torch.isnan(leaves[i]).sum())} of them",
                "A gradient at NaN is NaN, right or wrong: give inputs that the forward accepts.",
            )
    parameters = frozenset(range(len(leaves) - len(subject.state), len(leaves)))
    chosen = _chosen(subject, wrt, found, named)
    return Case(leaves, named, spec, chosen, parameters=parameters)


def _positional(
    subject: Subject, inputs: Sequence[Any] | Mapping[str, Any], names: tuple[str, ...] | None
) -> tuple[Any, ...]:
    if isinstance(inputs, Tensor | str) or not isinstance(inputs, Iterable):
        raise InputError(
            "inputs must be a tuple of arguments, or a mapping from names to them",
            "a tensor arrived" if isinstance(inputs, Tensor) else f"{inputs!r} arrived",
            "Write (x,) for a single input.",
        )
    if not isinstance(inputs, Mapping):
        return tuple(inputs)
    if names is None:
        return tuple(inputs.values())
    unknown = [name for name in inputs if name not in names]
    if unknown:
        raise InputError(
            f"{subject.title}: inputs must be named as its arguments {', '.join(names)}",
            f"{', '.join(unknown)} arrived",
            "Rename them, or pass a tuple in the order of the arguments.",
        )
    last = max(names.index(name) for name in inputs)
    missing = [name for name in names[:last] if name not in inputs]
    if missing:
        raise InputError(
            f"{subject.title}: a mapping must name every argument up to the last that it names",
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there",
            "Add them; give None for an optional tensor that is absent.",
        )
    return tuple(inputs[name] for name in names[: last + 1])


def _leaf_name(path: tuple[Any, ...], names: tuple[str, ...] | None) -> str:
    place, *rest = path
    if place.idx == 0:  # an argument; the others are keywords and parameters
        position, *rest = rest
        name = argument_name(position.idx, names)
    else:
        key, *rest = rest
        name = str(key.key)
    return name + pytree.keystr(tuple(rest))


def _kind(x: Tensor) -> str:
    layout = "" if x.layout is torch.strided else f" that is {x.layout}".replace("torch.", "")
    return f"{x.dtype}{layout}"


def _chosen(
    subject: Subject, wrt: Collection[str] | None, found: tuple[int, ...], names: tuple[str, ...]
) -> tuple[int, ...]:
    if wrt is None:
        return found
    wanted = {wrt} if isinstance(wrt, str) else set(wrt)
    available = [names[i] for i in found]
    unknown = sorted(map(str, wanted - set(available)))
    if unknown or not wanted:
        raise InputError(
            f"{subject.title}: wrt must name differentiable inputs, of {', '.join(available)}",
            f"{', '.join(unknown) or 'nothing'} arrived",
            "Leave wrt out to check them all.",
        )
    return tuple(i for i in found if names[i] in wanted)
