"""The data of a training: tensors with one example a row, or a loader that gives batches."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler, TensorDataset

from torchref.errors import InputError


@dataclass(frozen=True)
class Examples:
    """Inputs and what the network should answer, one example a row."""

    x: Tensor
    target: Tensor

    def __post_init__(self) -> None:
        if not 0 < len(self.x) == len(self.target):
            raise InputError(
                "Examples must have as many targets as inputs, one row each, and at least one",
                f"there are {len(self.x)} inputs and {len(self.target)} targets",
                "Look at how the data was split.",
            )

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Tensor) -> "Examples":
        return Examples(self.x[rows], self.target[rows])

    def to(self, device: torch.device, dtype: torch.dtype) -> "Examples":
        """Classes and numbers of characters, which are integers, stay integers."""
        x, target = (
            each.to(device, dtype if each.is_floating_point() else each.dtype)
            for each in (self.x, self.target)
        )
        return Examples(x, target)

    def first(self, most: int) -> "Examples":
        """So many rows at most, from the start."""
        return Examples(self.x[:most], self.target[:most])

    def spread(self, most: int | None) -> "Examples":
        """So many rows at most, evenly spaced over all of them."""
        if most is None or len(self) <= most:
            return self
        return self[torch.linspace(0, len(self) - 1, most).long().to(self.x.device)]


@runtime_checkable
class Loader(Protocol):
    """Batches, each a pair of inputs and targets: a `DataLoader`, a list of pairs."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


Data = Examples | Loader


class Loaded:
    """The batches of a loader, on a device and in a dtype, and alike whenever they are drawn again.

    What the loader draws of torch's, numpy's and Python's random numbers depends on the seed and
    the epoch alone, and the training draws as if it had drawn nothing.
    """

    def __init__(self, loader: Loader, device: torch.device, dtype: torch.dtype, seed: int) -> None:
        self.loader, self.device, self.dtype, self.seed = loader, device, dtype, seed
        if "DistributedSampler" in [type(each).__name__ for each in samplers(loader)] or any(
            isinstance(each, DistributedSampler) for each in samplers(loader)
        ):
            raise InputError(
                "A loader must give every process the same batches: each takes its share of them",
                "its sampler is a DistributedSampler",
                "Leave the sampler out, and give shuffle=True.",
            )

    def __len__(self) -> int:
        return len(self.loader)

    def epoch(self, number: int) -> Iterator[Examples]:
        """The batches of an epoch.

        Raises `InputError` for a batch that is not a pair of tensors, and for another number of
        batches than there should be.
        """
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        for sampler in samplers(self.loader):
            generator = getattr(sampler, "generator", None)
            if isinstance(generator, torch.Generator):
                generator.manual_seed(seed)
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(number)
        numbers = RandomNumbers(seed)
        with numbers.drawn():
            batches = iter(self.loader)
        for count in range(len(self)):
            with numbers.drawn():
                batch = next(batches, None)
            if batch is None:
                raise InputError(
                    "A loader must give as many batches as its len() says",
                    f"there were {count} of {len(self)}",
                    "Where it is read once, as a generator is, make a list or a DataLoader of it.",
                )
            yield as_pair(batch).to(self.device, self.dtype)


def samplers(loader: Loader) -> list[Any]:
    """All that may have a generator, or be told the number of the epoch."""
    batches = getattr(loader, "batch_sampler", None)
    found = loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None)
    return [each for each in found if each is not None]


class RandomNumbers:
    """Random numbers of torch on the CPU, of numpy and of Python, apart from everybody's."""

    def __init__(self, seed: int) -> None:
        self.states = (
            torch.Generator().manual_seed(seed).get_state(),
            np.random.RandomState(seed).get_state(),
            random.Random(seed).getstate(),
        )

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """They are the ones that are drawn."""
        everybodys = present()
        become(self.states)
        try:
            yield
        finally:
            self.states = present()
            become(everybodys)


def present() -> tuple[Any, Any, Any]:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def become(states: tuple[Any, Any, Any]) -> None:
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])


class Measured:
    """What losses and scores are measured on: batches, of `most` rows at most in all."""

    def __init__(self, part: "Examples | Loaded", most: int | None) -> None:
        self.part, self.most = part, most

    def __iter__(self) -> Iterator[Examples]:
        if isinstance(self.part, Examples):
            yield self.part.spread(self.most)
            return
        rows = 0
        for batch in self.part.epoch(0):
            taken = batch if self.most is None else batch.first(self.most - rows)
            yield taken
            rows += len(taken)
            if rows == self.most:
                return

    @property
    def device(self) -> torch.device:
        return self.part.x.device if isinstance(self.part, Examples) else self.part.device

    @property
    def sample(self) -> Examples:
        """The first batch."""
        return next(iter(self))


def as_data(given: Any, name: str) -> Data:
    """Examples of a pair of tensors; a loader as it is.

    Raises `InputError` for anything else.
    """
    if isinstance(given, Examples):
        return given
    if isinstance(given, TensorDataset):
        given = given.tensors
    if is_pair(given):
        return Examples(*given)
    if isinstance(given, Tensor | Dataset | str | dict) or not isinstance(given, Loader):
        fix = "Give (x, target), or a DataLoader of the data set."
        raise InputError(
            f"{name} must be a pair of tensors, or batches whose number is known",
            f"an object of the class {type(given).__name__} arrived",
            fix if not isinstance(given, Iterator) else "Make a list of it, or a DataLoader.",
        )
    if len(given) == 0:
        raise InputError(f"{name} must have a batch", "there is none", "Look at the data set.")
    return given


def as_pair(batch: Any) -> Examples:
    if isinstance(batch, Examples):
        return batch
    if not is_pair(batch):
        inside = ""
        if isinstance(batch, Iterable) and not isinstance(batch, Tensor):
            inside = f" of {', '.join(type(each).__name__ for each in batch)}"
        raise InputError(
            "A batch must be a pair of tensors, the inputs and the targets",
            f"a {type(batch).__name__}{inside} arrived",
            "Give the DataLoader a collate_fn that returns such a pair.",
        )
    return Examples(*batch)


def is_pair(given: Any) -> bool:
    return (
        isinstance(given, tuple | list)
        and len(given) == 2
        and all(isinstance(each, Tensor) for each in given)
    )
