"""What every experiment shares: its command line, device, run folder, logging and training."""

from torchref.training.command_line import Settings, run_experiment
from torchref.training.comparison import Examples, Outcome, train_both_ways
from torchref.training.device import resolve_device
from torchref.training.run_folder import create_run_folder
from torchref.training.twin import torch_twin

__all__ = [
    "Examples",
    "Outcome",
    "Settings",
    "create_run_folder",
    "resolve_device",
    "run_experiment",
    "torch_twin",
    "train_both_ways",
]
