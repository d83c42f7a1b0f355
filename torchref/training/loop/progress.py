"""How far a training is: all that changes in it, and so all that a checkpoint holds."""

import math
from typing import Any

import torch

from torchref.errors import InputError
from torchref.training.checks.live_check import LiveCheck
from torchref.training.loop.batches import Batches
from torchref.training.loop.learning import Course
from torchref.training.model.examples import Examples
from torchref.training.model.model_in_training import Contender
from torchref.training.model.optimisation import Optimisation
from torchref.training.model.task import Task
from torchref.training.process.distribution import Processes
from torchref.training.process.stopping import Patience


class Progress:
    """Models and optimisers, the order of the data, the epoch and step, and what was best."""

    def __init__(
        self, task: Task, optimisation: Optimisation, batches: Batches, processes: Processes
    ) -> None:
        settings = optimisation.settings
        self.contenders = [
            Contender(each, task, optimisation, processes)
            for each in dict.fromkeys(settings.gradients)
        ]
        self.courses = {each.name: Course() for each in self.contenders}
        self.batches = batches
        self.check = LiveCheck(task)
        self.patience = Patience(settings.early_stop)
        self.settings = settings
        self.epoch = self.step = 0
        self.logged = -1  # the epoch of the last log point
        self.least_saved = float("inf")

    @property
    def reached(self) -> str:
        """Which end has come: "epochs", "steps", "patience", or none yet."""
        epochs, steps = self.settings.epochs, self.settings.steps
        if self.patience.over:
            return "patience"
        if steps is not None and self.step >= steps:
            return "steps"
        return "epochs" if epochs is not None and self.epoch >= epochs else ""

    @property
    def in_part(self) -> bool:
        """Whether an epoch has been begun and not ended."""
        return not self.batches.exhausted

    @property
    def steps_in_epoch(self) -> int:
        return math.ceil(len(self.batches) / self.settings.accumulate)

    def take(self) -> list[Examples]:
        """The batches of the next step: the last of an epoch may have fewer."""
        taken: list[Examples] = []
        while len(taken) < self.settings.accumulate and not self.batches.exhausted:
            taken.append(self.batches.take())
        return taken

    def state_dict(self) -> dict[str, Any]:
        return {
            "contenders": {each.name: each.state_dict() for each in self.contenders},
            "batches": self.batches.state_dict(),
            "courses": {name: course.state_dict() for name, course in self.courses.items()},
            "check": self.check.state_dict(),
            "patience": {"least": self.patience.least, "waited": self.patience.waited},
            "epoch": self.epoch,
            "step": self.step,
            "logged": self.logged,
            "least_saved": self.least_saved,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        try:
            for each in self.contenders:
                each.load_state_dict(state["contenders"][each.name])
        except (KeyError, RuntimeError, ValueError) as error:
            lines = [line.strip() for line in str(error).splitlines()[:2]]  # what, and which sizes
            told = " ".join(lines).rstrip(".:")
            raise InputError(
                "A checkpoint must be of the network that goes on",
                f"its contents do not fit ({told})",
                "Give the options that the run began with. Has the experiment been changed since?",
            ) from error
        self.batches.load_state_dict(state["batches"])
        for name, course in self.courses.items():
            course.load_state_dict(state["courses"][name])
        self.check.load_state_dict(state["check"])
        self.patience.least = state["patience"]["least"]
        self.patience.waited = state["patience"]["waited"]
        self.epoch, self.step, self.logged = state["epoch"], state["step"], state["logged"]
        self.least_saved = state["least_saved"]
        torch.set_rng_state(state["random"])
        if len(state["random_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["random_cuda"])
