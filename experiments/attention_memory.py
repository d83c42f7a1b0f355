"""How much memory attention takes, forward and backward: with all weights at once, and in blocks.

    materialised  torchref.functional.scaled_dot_product_attention
    blockwise     torchref.functional.blockwise_attention

Memory is the most that tensors hold at once, inputs and gradients among them: on a CPU the bytes
that are alive after each operation, on CUDA torch.cuda.max_memory_allocated.

    python -m experiments.attention_memory
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from torchref.checker.report.table import Output, Table
from torchref.functional import blockwise_attention, scaled_dot_product_attention

FEATURES = 64
LENGTHS = (512, 1024, 2048, 4096)


class LiveBytes(TorchDispatchMode):
    """The most bytes that were alive after an operation inside the context."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for x in tree_leaves((args, kwargs, made)):
            if isinstance(x, Tensor):
                storage = x.untyped_storage()
                seen = StorageWeakRef(storage)
                self.alive[seen.cdata] = seen, storage.nbytes()
        self.alive = {key: each for key, each in self.alive.items() if not each[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
        return made


def step(attention: Callable[..., Tensor], length: int, is_causal: bool, device: str) -> None:
    """Of one head, in float32: the value, and the gradients of query, key and value."""
    leaves = [torch.randn(1, 1, length, FEATURES, device=device) for _ in range(3)]
    leaves = [x.requires_grad_() for x in leaves]
    torch.autograd.grad(attention(*leaves, is_causal=is_causal).sum(), leaves)


def peak_bytes(run: Callable[[], None], device: str) -> int:
    if torch.device(device).type == "cuda":
        run()  # what the first run alone needs is not counted
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
    with LiveBytes() as counted:
        run()
    return counted.peak


def peaks(
    lengths: Sequence[int], block_size: int, is_causal: bool = False, device: str = "cpu"
) -> dict[int, dict[str, int]]:
    """Peak bytes by length and way."""
    ways: dict[str, Callable[..., Tensor]] = {
        "materialised": scaled_dot_product_attention,
        "blockwise": partial(blockwise_attention, block_size=block_size),
    }
    return {
        length: {
            way: peak_bytes(partial(step, attention, length, is_causal, device), device)
            for way, attention in ways.items()
        }
        for length in lengths
    }


def table_of(measured: dict[int, dict[str, int]]) -> Table:
    """MiB, and how often the memory for the length before."""
    table = Table(title="peak MiB, forward and backward", title_justify="left")
    table.add_column("length", justify="right")
    before: dict[str, int] = {}
    for way in next(iter(measured.values())):
        table.add_column(way, justify="right")
    for length, of_length in measured.items():
        cells = (
            f"{most / 2**20:.2f}" + (f" ({most / before[way]:.1f} times)" if before else "")
            for way, most in of_length.items()
        )
        table.add_row(str(length), *cells)
        before = of_length
    return table


def main(
    length: Annotated[list[int] | None, typer.Option(min=1, help="Several may be given.")] = None,
    block_size: Annotated[int, typer.Option(min=1, help="Queries and keys at a time.")] = 128,
    causal: Annotated[bool, typer.Option(help="Hide later keys.")] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Measure the peak memory of attention at growing lengths."""
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("--device cuda, but torch sees no CUDA device.")
    Output().print(table_of(peaks(length or LENGTHS, block_size, causal, device)))


if __name__ == "__main__":
    typer.run(main)
