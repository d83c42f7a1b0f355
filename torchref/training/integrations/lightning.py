"""For Lightning's Trainer: gradient norms, update ratios and live cross-checks in its loggers."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from torchref.errors import InputError
from torchref.training.integrations.watch import TEXT, Watch


class GradientLog(Callback):
    """Logs what the gradients of a training are like, and whether they are right.

    every        optimiser steps between two logs of `gradient_norm/NAME`, the norm of a parameter's
                 gradient as the optimiser receives it, and `update_ratio/NAME`, the norm of the
                 update over that of the weights; 0 for none
    check_every  optimiser steps between two cross-checks; 0 for none. Each checks the Functions
                 that one batch applies, at the inputs that they have there, and logs
                 `gradients/verdict`: 1 right, 0 cannot tell, −1 wrong. A report that says something
                 new is a text, `live_check`; what is not right is printed too.
    references, expect, memory, options
                 those of `torchref.audit` and of its `report`

    The weights come out the same, bit for bit. Each value is at the step at which Lightning has its
    own of that batch. Raises `InputError` for arguments that these do not take, and for a trainer
    that has no logger.

    >>> from lightning.pytorch import Trainer
    >>> log = GradientLog(every=50, check_every=500, expect={"Round": "straight-through"})
    >>> trainer = Trainer(callbacks=[log], accelerator="cpu", enable_progress_bar=False)
    """

    def __init__(
        self,
        every: int = 50,
        check_every: int = 500,
        *,
        references: Mapping[str, Any] | None = None,
        expect: Mapping[str, str] | None = None,
        memory: int = 2**28,
        **options: Any,
    ) -> None:
        self.watch = Watch(every, check_every, references, expect, memory, options)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.loggers and not trainer.fast_dev_run:
            raise InputError(
                "GradientLog needs a logger of the trainer's",
                "logger=False arrived",
                "Give the trainer one: logger=TensorBoardLogger('runs').",
            )
        if trainer.is_global_zero:
            self.trainer = trainer
            steps = trainer.global_step // max(1, len(trainer.optimizers))
            self.watch.attach(pl_module, trainer.optimizers, steps, self.log_step)

    def log_step(self, step: int, scalars: dict[str, float]) -> None:
        self.log_scalars(step - 1, scalars)  # Lightning counts from 0

    def log_scalars(self, step: int, scalars: dict[str, float]) -> None:
        for logger in self.trainer.loggers:
            logger.log_metrics(scalars, step)

    def log_text(self, step: int, text: str) -> None:
        for logger in self.trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text(TEXT, text, step)

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if trainer.is_global_zero:
            self.watch.begin_batch()

    def on_train_batch_end(self, *_: Any) -> None:
        self.watch.end_batch(self.log_scalars, self.log_text)

    def on_train_end(self, *_: Any) -> None:
        self.watch.detach()

    def on_exception(self, *_: Any) -> None:
        self.watch.detach()
