"""One entry for each op: the torch expression it claims to equal, and inputs to hold it to.

The tests and the command line walk over `CATALOGUE`; an op is checked by being listed here.
"""

from torchref.catalogue import (
    activations,
    affine,
    gated_units,
    log_loss,
    normalisation,
    softmax,
    squared_error,
)
from torchref.catalogue.entry import Entry, Inputs

ROOMS = (affine, activations, gated_units, log_loss, softmax, squared_error, normalisation)
CATALOGUE: dict[str, Entry] = {entry.name: entry for room in ROOMS for entry in room.ENTRIES}

__all__ = ["CATALOGUE", "Entry", "Inputs"]
