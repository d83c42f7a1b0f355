"""For the Hugging Face Trainer: gradient norms, update ratios and cross-checks in TensorBoard."""

from collections.abc import Mapping
from typing import Any

from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback

from torchref.errors import InputError
from torchref.training.integrations.watch import TEXT, Watch


class GradientLog(TrainerCallback):
    """Logs what the gradients of a training are like, and whether they are right.

    trainer      the Trainer to which it is added; it reports to TensorBoard
    every        optimiser steps between two logs of `gradient_norm/NAME`, the norm of a parameter's
                 gradient as the optimiser receives it, and `update_ratio/NAME`, the norm of the
                 update over that of the weights; 0 for none
    check_every  optimiser steps between two cross-checks; 0 for none. Each checks the Functions
                 that one batch applies, at the inputs that they have there, and logs
                 `gradients/verdict`: 1 right, 0 cannot tell, −1 wrong. A report that says something
                 new is a text, `live_check`; what is not right is printed too.
    references, expect, memory, options
                 those of `torchref.audit` and of its `report`

    The weights come out the same, bit for bit. Raises `InputError` for arguments that these do not
    take, and for a trainer that does not report to TensorBoard.

    >>> from transformers import Trainer, TrainingArguments
    >>> arguments = TrainingArguments(report_to="tensorboard", use_cpu=True)
    >>> trainer = Trainer(torch.nn.Linear(2, 1), arguments)
    >>> trainer.add_callback(GradientLog(trainer, every=50, check_every=500))
    """

    def __init__(
        self,
        trainer: Trainer,
        every: int = 50,
        check_every: int = 500,
        *,
        references: Mapping[str, Any] | None = None,
        expect: Mapping[str, str] | None = None,
        memory: int = 2**28,
        **options: Any,
    ) -> None:
        self.watch = Watch(every, check_every, references, expect, memory, options)
        callbacks = trainer.callback_handler.callbacks
        boards = [each for each in callbacks if isinstance(each, TensorBoardCallback)]
        if not boards:
            raise InputError(
                "GradientLog needs a Trainer that reports to TensorBoard",
                f"report_to={trainer.args.report_to} arrived",
                "Write TrainingArguments(report_to='tensorboard').",
            )
        self.board = boards[0]

    def on_train_begin(
        self, _: TrainingArguments, state: TrainerState, __: TrainerControl, **of: Any
    ) -> None:
        if state.is_world_process_zero:
            given = of["optimizer"]  # Accelerate's, which has torch's inside
            optimizer = getattr(given, "optimizer", given)
            self.watch.attach(of["model"], [optimizer], state.global_step, self.log_scalars)

    def log_scalars(self, step: int, scalars: dict[str, float]) -> None:
        for tag, value in scalars.items():
            self.board.tb_writer.add_scalar(tag, value, step)

    def log_text(self, step: int, text: str) -> None:
        self.board.tb_writer.add_text(TEXT, text, step)

    def on_step_begin(
        self, _: TrainingArguments, state: TrainerState, __: TrainerControl, **___: Any
    ) -> None:
        if state.is_world_process_zero:
            self.watch.begin_batch()

    def on_substep_end(self, *_: Any, **__: Any) -> None:
        self.watch.end_batch(self.log_scalars, self.log_text)

    on_pre_optimizer_step = on_substep_end

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.watch.detach()
