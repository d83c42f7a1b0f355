"""One entry for each op: the torch expression it claims to equal, and inputs to hold it to.

The tests and the command line walk over `CATALOGUE`; an op is checked by being listed here.
"""

from torchref.catalogue import (
    activations,
    attention,
    convolution,
    indexing,
    linear,
    linear_algebra,
    losses,
    normalisation,
    recurrent,
    softmax,
)
from torchref.catalogue.entry import Entry, Inputs

ROOMS = (
    linear,
    activations,
    losses,
    softmax,
    normalisation,
    convolution,
    indexing,
    attention,
    recurrent,
    linear_algebra,
)
CATALOGUE: dict[str, Entry] = {entry.name: entry for room in ROOMS for entry in room.ENTRIES}

__all__ = ["CATALOGUE", "Entry", "Inputs"]
