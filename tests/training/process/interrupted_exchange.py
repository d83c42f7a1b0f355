"""Two processes are interrupted, the first of them while it waits for what the second has.

A thread of the group then has the last reference to a tensor, which it gives up once the second
has answered. Prints whether the group has ended while the parallel model is still there.
"""

import os
import time
import weakref

import torch
import torch.distributed as dist

from torchref.training.process.distribution import joined

if __name__ == "__main__":
    first = os.environ["RANK"] == "0"
    try:
        with joined(torch.device("cpu")) as processes:
            group = weakref.ref(dist.group.WORLD)
            dropped = weakref.ref(processes.parallel(torch.nn.Linear(2, 3)))
            assert dropped() is None
            parallel = processes.parallel(torch.nn.Linear(2, 3))
            parallel(torch.ones(5, 2)).sum().backward()
            if not first:
                time.sleep(1)
            dist.all_reduce(torch.ones(7), async_op=first)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("ended" if group() is None else "goes on")
    del parallel
    print("left")
