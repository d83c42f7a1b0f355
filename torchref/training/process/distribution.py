"""Several processes under `torchrun`: who is first, and what all of them agree on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from weakref import WeakSet

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel


def is_first_process() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


@dataclass(frozen=True)
class Processes:
    """This process among `count`."""

    rank: int = 0
    count: int = 1
    parallels: WeakSet[DistributedDataParallel] = field(default_factory=WeakSet, repr=False)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """The part of a batch's rows that is for this process, of sizes that differ by one.

        Where rows do not suffice for all, the others take one that will not count.
        """
        return batch[self.rank :: self.count] if self.rank < len(batch) else batch[:1]

    def weight(self, batch: int, reduction: str) -> float:
        """What this process' loss counts for, so that the average over the processes is right.

        DistributedDataParallel averages gradients over the processes. A mean over a share must
        count in proportion to the share, and a sum must not be divided at all.
        """
        mine = len(range(self.rank, batch, self.count))
        return self.count * (mine / batch if reduction.endswith("mean") else float(mine > 0))

    def parallel(self, model: Module) -> Module:
        if self.count == 1:
            return model
        parallel = DistributedDataParallel(model)
        self.parallels.add(parallel)
        return parallel

    def from_first(self, value: Any) -> Any:
        """What the first process has, for all."""
        shared = [value]
        if self.count > 1:
            dist.broadcast_object_list(shared)
        return shared[0]

    def largest(self, number: int) -> int:
        """The largest of a number that every process has its own of."""
        if self.count == 1:
            return number
        shared = torch.tensor([number], device="cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return int(shared.item())


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """All processes of this `torchrun`, or this one alone where there is none."""
    if "RANK" not in os.environ:
        yield Processes()
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Imported after the group is made, as the parallel model does, its defaults keep the group.
    import_module("torch.distributed.nn.functional")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    processes = Processes(dist.get_rank(), dist.get_world_size())
    try:
        yield processes
        dist.barrier()  # none leaves while another still hears from it
    finally:
        # A reducer that holds the group last ends it without releasing the interpreter, and waits
        # for a thread of the group that waits for the interpreter, to release a tensor.
        for parallel in processes.parallels:
            del parallel.reducer, parallel.logger, parallel.process_group
        dist.destroy_process_group()
