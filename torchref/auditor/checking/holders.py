"""What the objects among the arguments hold: a module its weights, a closure what it closes over.

A call that gives a module and its weights computes with the weights that the module has. To vary
them, the objects are made anew with the varied tensors in the place of those that they held.
"""

import io
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import cloudpickle
import torch
from torch import Tensor

from torchref.auditor.recording.kept_call import PLAIN, KeptCall, bytes_of, copied
from torchref.checker.execution.arithmetic import is_differentiable

SHARED = (type, ModuleType, type(threading.Lock()), type(threading.RLock()), torch.Generator)
MOST_BYTES = 2**26  # of what is held beside the tensors of the call: it is copied for each forward


@dataclass(frozen=True)
class Holders:
    """The objects of a call, pickled but for the tensors in them.

    `places` are those of the objects among the leaves of the arguments, `held` those of the tensors
    that they hold; `given` are the dtypes of all leaves, `own` the other tensors that are held, and
    `shared` what is not copied. `opaque` says whether that is an object that may hold tensors.
    """

    pickled: bytes
    places: tuple[int, ...]
    held: frozenset[int]
    given: tuple[torch.dtype | None, ...]
    own: tuple[Tensor, ...]
    shared: tuple[Any, ...]
    opaque: bool

    def in_place(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves, with objects that hold those tensors; their own in the same precision.

        Where no tape is kept, what is held requires grad all the same, as weights do: a forward may
        differentiate by itself.
        """
        if not torch.is_grad_enabled():
            leaves = [
                x.detach().requires_grad_() if place in self.held and is_differentiable(x) else x
                for place, x in enumerate(leaves)
            ]
        pairs = [(a, b) for a, b in zip(self.given, leaves, strict=True) if is_differentiable(b)]
        dtypes = {before: x.dtype for before, x in pairs if before is not None}
        for before, x in pairs:  # a buffer of the module is complex where its weights are real
            if before in (torch.float32, torch.float64):
                dtypes.setdefault(before.to_complex(), x.dtype.to_complex())
        kinds: dict[
            str, Callable[[int], Any]
        ] = {  # a tensor that stood in two places stands in both of them again
            "given": leaves.__getitem__,
            "own": cache(lambda number: _converted(self.own[number], dtypes)),
            "shared": self.shared.__getitem__,
        }
        objects = _Unpickler(io.BytesIO(self.pickled), kinds).load()
        made = dict(zip(self.places, objects, strict=True))
        return [made.get(place, x) for place, x in enumerate(leaves)]


def holders_of(call: KeptCall) -> Holders | None:
    """The objects among the arguments of a call; None where there are none, or too large ones."""
    objects = objects_of(call)
    if not objects:
        return None
    refusing = [x for x in objects.values() if _pickled(call, {0: x}, ()) is None]
    opaque = [
        x for x in refusing if _pickled(call, {0: x}, [y for y in refusing if y is not x]) is None
    ]
    return _pickled(call, objects, opaque)


def objects_of(call: KeptCall) -> dict[int, Any]:
    """What is no tensor and no plain value among the leaves of the arguments, by its place."""
    return {place: x for place, x in enumerate(call.leaves) if not isinstance(x, (*PLAIN, Tensor))}


def _pickled(call: KeptCall, objects: Mapping[int, Any], opaque: Sequence[Any]) -> Holders | None:
    """Some objects with others that are not copied; None where they cannot be made anew so."""
    file = io.BytesIO()
    pickler = _Pickler(file, call.originals, opaque)
    try:
        pickler.dump(list(objects.values()))
        if len(file.getvalue()) + sum(map(bytes_of, pickler.own.values())) > MOST_BYTES:
            return None
        holders = Holders(
            file.getvalue(),
            tuple(objects),
            frozenset(pickler.given),
            tuple(x.dtype if is_differentiable(x) else None for x in call.leaves),
            tuple(_converted(x, {}) for x in pickler.own.values()),
            tuple(pickler.shared.values()),
            bool(opaque),
        )
        holders.in_place(call.leaves)
    except Exception:  # of what others have made, anything may come
        return None
    return holders


class _Pickler(cloudpickle.Pickler):
    """Writes down where tensors stood, and which: given to the call, or the objects' own."""

    def __init__(
        self, file: io.BytesIO, originals: Sequence[Tensor | None], opaque: Sequence[Any]
    ) -> None:
        super().__init__(file)
        self.opaque = set(map(id, opaque))
        self.place_of: dict[int, int] = {}
        for place, x in enumerate(originals):
            if x is not None:
                self.place_of.setdefault(id(x), place)
        self.given: set[int] = set()
        self.own: dict[int, Tensor] = {}
        self.shared: dict[int, Any] = {}

    def persistent_id(self, x: Any) -> tuple[str, int] | None:
        if isinstance(x, SHARED) or id(x) in self.opaque:
            return "shared", _number(self.shared, x)
        if not isinstance(x, Tensor):
            return None
        place = self.place_of.get(id(x))
        if place is None:
            return "own", _number(self.own, x)
        self.given.add(place)
        return "given", place


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, kinds: Mapping[str, Callable[[int], Any]]) -> None:
        super().__init__(file)
        self.kinds = kinds

    def persistent_load(self, what: tuple[str, int]) -> Any:
        kind, number = what
        return self.kinds[kind](number)


def _number(table: dict[int, Any], x: Any) -> int:
    """The place of an object in a table, which it is entered in."""
    table.setdefault(id(x), x)
    return list(table).index(id(x))


def _converted(x: Tensor, dtypes: Mapping[torch.dtype, torch.dtype]) -> Tensor:
    """A copy in the precision of the call, that requires grad as it does."""
    fresh = copied(x).to(dtypes.get(x.dtype, x.dtype))
    if isinstance(x, torch.nn.Parameter):
        return torch.nn.Parameter(fresh, x.requires_grad)
    return fresh.requires_grad_(x.requires_grad)
