"""A model on its way, under one of the ways to its gradients."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from torchref.backprop import Backprop
from torchref.errors import InputError
from torchref.training.model.examples import Examples
from torchref.training.model.optimisation import Optimisation
from torchref.training.model.reduction import (
    reduction_of,
    require_parts_to_add_up,
    require_scalar,
)
from torchref.training.model.task import Score, Task
from torchref.training.model.twin import torch_twin
from torchref.training.process.distribution import Processes
from torchref.training.settings import Gradients


class Contender:
    """A copy of the task's network with an optimiser, and `backpropagate` by its kind of gradients.

    The copy starts from the network's weights, so that all contenders of a run start alike.
    """

    def __init__(
        self,
        gradients: Gradients,
        task: Task,
        optimisation: Optimisation,
        processes: Processes,
    ) -> None:
        self.name = str(gradients)
        self.autocast = optimisation.settings.autocast
        self.clip_norm = optimisation.settings.clip_norm
        self.processes = processes
        self.reduction = reduction_of(task.loss)
        torchs = gradients == Gradients.TORCH
        self.model: Module = torch_twin(task.network) if torchs else copy.deepcopy(task.network)
        self.loss = task.torchs_loss() if torchs else task.loss
        self.parallel = self.model
        self.sweep = None
        if gradients == Gradients.SWEEP:
            if processes.count > 1:
                raise InputError(
                    "The sweep trains in one process",
                    f"there are {processes.count}",
                    "DistributedDataParallel waits for autograd: take --gradients handwritten.",
                )
            if not isinstance(task.loss, Module):
                raise InputError(
                    "The sweep needs a loss of torchref.nn",
                    f"a {type(task.loss).__name__} arrived",
                    "Take torchref.nn.MSELoss(), say, or --gradients handwritten.",
                )
            self.sweep = Backprop(self.model, task.loss)
        else:
            self.parallel = processes.parallel(self.model)
        self.optimizer = optimisation.optimizer(self.model)
        self.schedule = optimisation.schedule(self.optimizer)
        self.parts_add_up = False  # where they have to, it is asked of the first batch
        self.steps = self.clipped = 0  # since they were taken

    def backpropagate(self, batches: Sequence[Examples]) -> list[float]:
        """Leaves the gradients of one step in the model's parameters, and returns the losses.

        The gradients are those of all the batches in one. The losses are of each batch, or of this
        process' share of it.
        """
        if self.sweep:
            return self.swept(self.sweep, batches)
        self.optimizer.zero_grad()
        losses = []
        for number, (batch, weight) in enumerate(self.weighed(batches), start=1):
            mine = self.share_of(batch)
            with self.exchanged(number == len(batches)):
                with self.arithmetic(batch.x.device):
                    output = self.parallel(mine.x)
                    loss = self.loss(output, mine.target)
                require_scalar(loss)
                if not self.parts_add_up and (len(batches) > 1 or self.processes.count > 1):
                    with self.arithmetic(batch.x.device):
                        self.parts_add_up = require_parts_to_add_up(
                            self.loss, output, mine.target, self.reduction
                        )
                share = self.processes.weight(len(batch), self.reduction)
                (loss * (share * weight)).backward()
            losses.append(loss.item())
        return losses

    def swept(self, sweep: Backprop, batches: Sequence[Examples]) -> list[float]:
        losses, total = [], dict[str, Tensor]()
        for batch, weight in self.weighed(batches):
            losses.append(sweep(batch.x, batch.target).item())
            if len(batches) > 1:  # the sweep writes the next ones into the same tensors
                for name, g in self.gradients().items():
                    total[name] = total[name] + weight * g if name in total else weight * g
        for name, g in total.items():
            self.model.get_parameter(name).grad = g
        return losses

    def weighed(self, batches: Sequence[Examples]) -> Iterator[tuple[Examples, float]]:
        """Each batch of a step with what its loss counts for in that of all of them."""
        rows = sum(map(len, batches))
        for batch in batches:
            yield batch, len(batch) / rows if self.reduction.endswith("mean") else 1.0

    def share_of(self, batch: Examples) -> Examples:
        """What of the batch is for this process."""
        if self.processes.count == 1:
            return batch
        return batch[self.processes.share(torch.arange(len(batch)))]

    def exchanged(self, now: bool) -> AbstractContextManager[object]:
        """Gradients are exchanged between the processes once in a step, at its last batch."""
        if now or not isinstance(self.parallel, DistributedDataParallel):
            return nullcontext()
        return self.parallel.no_sync()

    def step(self) -> None:
        """Of the optimiser and the schedule, after the gradient was clipped."""
        self.steps += 1
        if self.clip_norm is not None:
            norm = clip_grad_norm_(self.model.parameters(), self.clip_norm)
            self.clipped += int(norm.item() > self.clip_norm)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()

    def take_course(self) -> dict[str, float]:
        """The learning rate, and in what share of the steps since then the gradient was clipped.

        Each where it is not always the same.
        """
        told = {}
        if self.schedule is not None:
            told["lr"] = float(self.optimizer.param_groups[0]["lr"])
        if self.clip_norm is not None and self.steps:
            told["clipped_share"] = self.clipped / self.steps
        self.steps = self.clipped = 0
        return told

    @torch.no_grad()
    def measure(
        self, parts: Mapping[str, Iterable[Examples]], scores: Mapping[str, Score]
    ) -> dict[str, float]:
        """The loss and each score of each part of the data, by the tag score/part."""
        values = {}
        for part, batches in parts.items():
            output, target = self.answers(batches)
            with self.arithmetic(output.device):
                loss = self.loss(output, target)
            require_scalar(loss)
            values[f"loss/{part}"] = loss.item()
            for name, score in scores.items():
                values[f"{name}/{part}"] = float(score(output, target))
        return values

    def answers(self, batches: Iterable[Examples]) -> tuple[Tensor, Tensor]:
        """The outputs for all batches in one, and the targets."""
        outputs, targets = [], []
        for batch in batches:
            with evaluating(self.model), self.arithmetic(batch.x.device):
                outputs.append(self.model(batch.x))
            targets.append(batch.target)
        if len(outputs) == 1:
            return outputs[0], targets[0]
        try:
            return torch.cat(outputs), torch.cat(targets)
        except RuntimeError as error:
            raise InputError(
                "The batches of a part must have outputs of one shape, but for the rows",
                f"they do not: {error}",
                "Pad all batches alike, or measure one batch: Task(measured=...).",
            ) from error

    def arithmetic(self, device: torch.device) -> torch.autocast:
        """float32, or as autocast has it: matrix products in bfloat16."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.autocast)

    def parameters(self) -> dict[str, Tensor]:
        return {name: p.detach() for name, p in self.model.named_parameters()}

    def gradients(self) -> dict[str, Tensor]:
        return {n: p.grad for n, p in self.model.named_parameters() if p.grad is not None}

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule and self.schedule.state_dict(),
            "steps": self.steps,
            "clipped": self.clipped,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.steps, self.clipped = state["steps"], state["clipped"]


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Without dropout, and without a change of running statistics; each mode is as before then."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training
