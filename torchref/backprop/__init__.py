"""Backpropagation without a tape: the reverse sweep through a stack of layers."""

from torchref.backprop.correspondence import correspond
from torchref.backprop.repository import Repository, delta_bounds
from torchref.backprop.step import Backprop
from torchref.backprop.sweep import Swept, sweep

__all__ = ["Backprop", "Repository", "Swept", "correspond", "delta_bounds", "sweep"]
