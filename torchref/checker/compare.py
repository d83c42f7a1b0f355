"""The call: `torchref.compare`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torchref.checker.closeness import (
    Distance,
    distance,
    held_in_double,
    noise_floor,
    rounding,
)
from torchref.checker.comparison import ComparedGradient, Comparison
from torchref.checker.diagnosis import Suspicion
from torchref.checker.findings import Finding
from torchref.checker.given_gradients import Gradient, given_gradients, pairs
from torchref.checker.resemblance import Background, background, explain
from torchref.errors import InputError
