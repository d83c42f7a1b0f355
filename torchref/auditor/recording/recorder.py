"""What a program applies while it runs: every Function counted, a few calls of each kept."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils import _pytree as pytree

from torchref.auditor.recording.definition import Definition, definition_of, key_of
from torchref.auditor.recording.kept_call import (
    KeptCall,
    NotKeptError,
    Signature,
    bytes_of,
    copied,
    keep,
    signature,
)

MOST_CLASSES = 16  # of one definition that makes its class anew, as in each step


@dataclass(eq=False)
class Seen:
    """A Function, by its definition: how often it was applied, and the calls that are kept.

    `differentiated` counts the calls of which a gradient could be asked, `classes` the classes that
    the definition has made; `left_out` says why calls were not kept, and how many.
    """

    definition: Definition
    calls: int = 0
    differentiated: int = 0
    classes: int = 0
    kept: list[KeptCall] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class _Kind:
    """One class: what it was seen as, whether its calls are kept, and which of them are."""

    seen: Seen
    is_kept: bool
    signatures: set[Signature] = field(default_factory=set)


class Recorder:
    """Takes note of each application; `around` is what `intercept` calls.

    `memory` bounds the bytes of all copies, `calls` the kept calls of each Function. `tell` is
    called with each Function as it is applied for the first time.
    """

    def __init__(
        self, memory: int, calls: int, tell: Callable[[Definition], None] | None = None
    ) -> None:
        self.memory, self.calls, self.tell = memory, calls, tell
        self.used = 0
        self.seen: dict[Hashable, Seen] = {}
        self._kinds: WeakKeyDictionary[type[Function], _Kind] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def around(
        self, function: type[Function], apply: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Apply a Function, and keep the call where it is worth it."""
        with self._lock:
            kept = self._kept(function, args, kwargs)
        if kept is None:
            return apply(*args, **kwargs)
        try:
            returned = apply(*args, **kwargs)
        except BaseException:
            self._forget(kept)
            raise
        kept.drew = kept.random.has_moved()
        self._follow(kept, returned)
        return returned

    def _kept(
        self, function: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> KeptCall | None:
        kind = self._kinds.get(function) or self._entered(function)
        kind.seen.calls += 1
        given = (*args, *kwargs.values())
        requires_grad = any(isinstance(x, Tensor) and x.requires_grad for x in given)
        if not requires_grad or not torch.is_grad_enabled():
            return None
        kind.seen.differentiated += 1
        if not kind.is_kept or len(kind.signatures) >= self.calls:
            return None
        mark = signature(args, kwargs)
        if mark in kind.signatures:
            return None
        # The first call of a Function may take all the room, its further ones half of it.
        room = (self.memory // 2 if kind.signatures else self.memory) - self.used
        try:
            kept = keep(function, args, kwargs, room)
        except NotKeptError as why:
            kind.seen.left_out[str(why)] = kind.seen.left_out.get(str(why), 0) + 1
            return None
        kept.mark = mark
        kind.signatures.add(mark)
        kind.seen.kept.append(kept)
        self.used += kept.bytes
        return kept

    def _entered(self, function: type[Function]) -> _Kind:
        """A class that is applied for the first time."""
        key = key_of(function)
        seen = self.seen.get(key)
        if seen is None:
            seen = self.seen[key] = Seen(definition_of(function))
            if self.tell is not None:
                self.tell(seen.definition)
        seen.classes += 1
        is_kept = seen.classes <= MOST_CLASSES and not seen.definition.is_of_torch
        kind = self._kinds[function] = _Kind(seen, is_kept)
        return kind

    def _forget(self, kept: KeptCall) -> None:
        """A call that came to nothing makes room for another."""
        with self._lock:
            kind = self._kinds[kept.function]
            kind.signatures.discard(kept.mark)
            kind.seen.kept.remove(kept)
            self.used -= kept.bytes

    def _follow(self, kept: KeptCall, returned: Any) -> None:
        """Take note of the cotangents as they arrive, ahead of the backward."""
        outputs = [y for y in pytree.tree_leaves(returned) if isinstance(y, Tensor)]
        if not any(y.requires_grad for y in outputs):
            self._forget(kept)
            with self._lock:
                self._kinds[kept.function].seen.differentiated -= 1
            return
        nodes = (y.grad_fn for y in outputs if y.grad_fn is not None)
        node = next((n for n in nodes if getattr(n, "_forward_cls", None) is kept.function), None)
        if node is not None:  # there is none to see inside a transform of torch.func
            node.register_prehook(lambda cotangents: self._arrived(kept, cotangents))

    def _arrived(self, kept: KeptCall, cotangents: tuple[Tensor | None, ...]) -> None:
        with self._lock:
            size = sum(bytes_of(c) for c in cotangents if c is not None)
            if kept.cotangents is not None or self.used + size > self.memory:
                return
            self.used += size
            kept.bytes += size
            kept.cotangents = tuple(None if c is None else copied(c) for c in cotangents)
