"""The lectures' network, with its layers under the lectures' names."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral

from torch.nn import Module, Sequential

from torchref.errors import InputError
from torchref.nn.activations import Sigmoid
from torchref.nn.linear import Linear


class SigmoidNetwork(Sequential):
    """The lectures' network: a linear layer and a sigmoid for each step between two sizes.

    Layers are named by the lectures' superscripts: `linear1`, `sigmoid1`, `linear2`, ...

    >>> SigmoidNetwork((4, 3, 2)).linear1.weight.shape
    torch.Size([3, 4])
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        if not are_sizes(sizes):
            raise InputError(
                "SigmoidNetwork: sizes must be two or more positive whole numbers, inputs first",
                f"{sizes!r} arrived",
                "Lecture 002's network is SigmoidNetwork((4, 3, 2)).",
            )
        super().__init__()
        self.sizes = tuple(map(int, sizes))
        for number, (inputs, outputs) in enumerate(pairwise(self.sizes), start=1):
            self.add_module(f"linear{number}", Linear(inputs, outputs))
            self.add_module(f"sigmoid{number}", Sigmoid())

    def __getitem__(self, index: slice | int) -> Module:
        """A layer, or a part as a plain `Sequential`: `network[:-1]` gives the logits."""
        if isinstance(index, slice):
            return Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)


def are_sizes(sizes: object) -> bool:
    return (
        isinstance(sizes, Sequence)
        and len(sizes) >= 2
        and all(isinstance(size, Integral) and int(size) >= 1 for size in sizes)
        and bool not in map(type, sizes)
    )
