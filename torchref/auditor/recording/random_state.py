"""The state of the random generators that a forward may draw from."""

import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class RandomState:
    """States of torch's generators, Python's and numpy's; numpy's is None where it is not loaded.

    >>> before = RandomState.read([])
    >>> drawn = torch.rand(3)
    >>> before.has_moved()
    True
    >>> before.set()
    >>> torch.equal(torch.rand(3), drawn)
    True
    """

    of_cpu: Tensor
    of_cuda: dict[torch.device, Tensor]
    of_python: Any
    of_numpy: Any

    @classmethod
    def read(cls, devices: Iterable[torch.device]) -> "RandomState":
        """What they are now: of the CPU and of the CUDA devices among these."""
        cuda = {device for device in devices if device.type == "cuda"}
        numpy = sys.modules.get("numpy.random")
        return cls(
            torch.get_rng_state(),
            {device: torch.cuda.get_rng_state(device) for device in cuda},
            random.getstate(),
            None if numpy is None else numpy.get_state(legacy=False),
        )

    def has_moved(self) -> bool:
        """Whether numbers have been drawn since."""
        now = RandomState.read(self.of_cuda)
        return (
            not torch.equal(now.of_cpu, self.of_cpu)
            or any(not torch.equal(now.of_cuda[at], was) for at, was in self.of_cuda.items())
            or now.of_python != self.of_python
            or repr(now.of_numpy) != repr(self.of_numpy)
        )

    def set(self) -> None:
        """Make it the state again."""
        torch.set_rng_state(self.of_cpu)
        for device, state in self.of_cuda.items():
            torch.cuda.set_rng_state(state, device)
        random.setstate(self.of_python)
        if self.of_numpy is not None:
            sys.modules["numpy.random"].set_state(self.of_numpy)
