"""Other values of integer and boolean tensors: repeats, other orders, ignored and masked rows.

No index grows beyond the largest one given: many kernels do not check where they write.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Generator, Tensor

from torchref.checker.execution.case import Case
from torchref.checker.inputs.sizes import in_order, is_index, is_permutation
from torchref.checker.inputs.values import Change

IGNORED = (-100, -1)  # what torch's losses and many others leave out


def index_variations(case: Case, generator: Generator) -> Iterator[Change]:
    for i, leaf in enumerate(case.leaves):
        if not isinstance(leaf, Tensor) or leaf.layout is not torch.strided or not leaf.numel():
            continue
        if leaf.dtype is torch.bool:
            varied = _masks(leaf)
        elif not leaf.is_floating_point() and not leaf.is_complex():
            varied = _indices(leaf, generator)
        else:
            continue
        for label, tensor in varied:
            yield f"{label} in {case.names[i]}", {i: tensor}


def _indices(x: Tensor, generator: Generator) -> Iterator[tuple[str, Tensor]]:
    flat = x.reshape(-1)
    if not in_order(x):
        order = torch.randperm(x.numel(), generator=generator, device="cpu").to(x.device)
        yield "indices in another order", flat[order].reshape(x.shape)
        yield "sorted indices", flat.sort().values.reshape(x.shape)
    if is_permutation(x):
        if x.device.type == "cpu":  # who takes it for no place ignores it
            yield from _with_ignored(x, (value for value in IGNORED if value < -len(x)))
        return
    yield "one index repeated", torch.full_like(x, int(flat[0]))
    yield (
        "a repeated index",
        torch.cat([flat[:1], flat[:1], flat[2:]])[: x.numel()].reshape(x.shape),
    )
    yield "the smallest index everywhere", torch.full_like(x, int(flat.min()))
    yield "the largest index everywhere", torch.full_like(x, int(flat.max()))
    yield "zeros", torch.zeros_like(x)
    if x.device.type == "cpu":  # elsewhere a kernel that does not check would write anywhere
        yield from _with_ignored(x, IGNORED)
    if x.numel() > 1:
        shortened = flat.clone()
        shortened[-1] = flat[-2]
        yield "the last index equal to the one before", shortened.reshape(x.shape)


def _with_ignored(x: Tensor, values: Iterable[int]) -> Iterator[tuple[str, Tensor]]:
    for value in values:
        ignored = x.reshape(-1).clone()
        ignored[-1] = value
        yield f"an index of {value}", ignored.reshape(x.shape)


def order_variations(case: Case, generator: Generator) -> Iterator[Change]:
    """Labels that rise, each of them once at least, in another order: it is not promised.

    Places at which parts begin rise as well, but leave values out where a part is longer than 1.
    """
    for i, x in enumerate(case.leaves):
        if isinstance(x, Tensor) and is_index(x) and in_order(x) and not is_permutation(x):
            steps = x.diff()
            if int(steps.max()) == 1 and int(steps.min()) == 0:
                order = torch.randperm(len(x), generator=generator, device="cpu").to(x.device)
                yield f"labels in another order in {case.names[i]}", {i: x[order]}
                yield f"reversed labels in {case.names[i]}", {i: x.flip(0)}


def _masks(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "all masked", torch.zeros_like(x)
    yield "nothing masked", torch.ones_like(x)
    yield "the opposite mask", ~x
    if x.dim():
        for value, what in ((False, "a row of False"), (True, "a row of True")):
            row = x.clone()
            row[0] = value
            yield what, row
