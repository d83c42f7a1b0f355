"""Training with live checks of its gradients, logged and resumable: experiments, and yours."""

from torchref.training.command_line import run_experiment
from torchref.training.log.log_point import LogPoint
from torchref.training.model.examples import Examples
from torchref.training.model.task import Task, accuracy, r2
from torchref.training.model.twin import torch_twin
from torchref.training.process.device import resolve_device
from torchref.training.run_folder.kept_run import recorded_run
from torchref.training.settings import BESIDE_TORCH, Dtype, Gradients, Optimizer, Schedule, Settings
from torchref.training.train import Outcome, train

__all__ = [
    "BESIDE_TORCH",
    "Dtype",
    "Examples",
    "Gradients",
    "LogPoint",
    "Optimizer",
    "Outcome",
    "Schedule",
    "Settings",
    "Task",
    "accuracy",
    "r2",
    "recorded_run",
    "resolve_device",
    "run_experiment",
    "torch_twin",
    "train",
]
