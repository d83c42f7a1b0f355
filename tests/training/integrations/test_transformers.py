from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

from tests.training.integrations.squares import Square, SquareWithoutTwo, data, network  # noqa: E402
from torchref.errors import InputError  # noqa: E402
from torchref.training.integrations.transformers import GradientLog  # noqa: E402

NORM, RATIO = "gradient_norm/net.0.weight", "update_ratio/net.0.weight"
TEXT = "live_check/text_summary"


class Model(torch.nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.net = network(function)

    def forward(self, x: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"loss": torch.nn.functional.mse_loss(self.net(x), target)}


class Steps(transformers.TrainerCallback):
    """Keeps what the optimiser received and did, step by step."""

    def __init__(self) -> None:
        self.norms: list[float] = []
        self.ratios: list[float] = []

    def on_pre_optimizer_step(self, *_: Any, model: Model, **__: Any) -> None:
        self.before = model.net[0].weight.detach().clone()
        self.norms.append(model.net[0].weight.grad.norm().item())

    def on_optimizer_step(self, *_: Any, model: Model, **__: Any) -> None:
        update = (model.net[0].weight.detach() - self.before).norm()
        self.ratios.append((update / self.before.norm()).item())


def fitted(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: Any = Square,
    log: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[Model, Steps]:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(folder / "board"))
    arguments = transformers.TrainingArguments(
        str(folder),
        report_to="tensorboard",
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
        learning_rate=0.01,
        logging_steps=1,
        num_train_epochs=3,
        per_device_train_batch_size=4,
        **options,
    )
    model, steps = Model(function), Steps()
    rows = [{"x": x, "target": target} for x, target in data()]
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, callbacks=[steps])
    if log is not None:
        trainer.add_callback(GradientLog(trainer, **log))
    trainer.train()
    return model, steps


def board(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / "board")).Reload()


def curve(events: EventAccumulator, tag: str) -> dict[int, float]:
    return {each.step: each.value for each in events.Scalars(tag)}


ACCUMULATED: dict[str, Any] = {
    "gradient_accumulation_steps": 2,
    "max_grad_norm": 0.05,
    "bf16": True,
}


@pytest.mark.parametrize("options", [{}, ACCUMULATED], ids=["plain", "accumulated"])
def test_it_logs_what_the_optimiser_receives_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    plain, steps = fitted(tmp_path / "plain", monkeypatch, **options)
    log = {"every": 3, "check_every": 4}
    watched, _ = fitted(tmp_path / "watched", monkeypatch, log=log, **options)
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name])
    events, count = board(tmp_path / "watched"), len(steps.norms)
    logged = range(3, count + 1, 3)
    assert curve(events, NORM) == pytest.approx({n: steps.norms[n - 1] for n in logged})
    assert curve(events, RATIO) == pytest.approx({n: steps.ratios[n - 1] for n in logged})
    assert set(logged) <= curve(events, "train/loss").keys()
    assert curve(events, "gradients/verdict") == dict.fromkeys(range(0, count, 4), 1.0)
    if options:
        assert count == 9
        assert max(steps.norms) <= 0.05


@pytest.mark.parametrize("options", [{}, ACCUMULATED], ids=["plain", "accumulated"])
def test_a_wrong_function_is_told_in_the_logger_and_on_the_terminal(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
) -> None:
    fitted(tmp_path, monkeypatch, SquareWithoutTwo, {"check_every": 2}, **options)
    events = board(tmp_path)
    assert set(curve(events, "gradients/verdict").values()) == {-1.0}
    (told,) = events.Tensors(TEXT)  # once: the next ones say nothing new
    assert b"SquareWithoutTwo: wrong" in told.tensor_proto.string_val[0]
    assert b"constant-factor" in told.tensor_proto.string_val[0]
    assert "Live check at step 0:\n" in capsys.readouterr().out


def test_a_trainer_without_tensorboard_is_refused(tmp_path: Path) -> None:
    arguments = transformers.TrainingArguments(str(tmp_path), report_to="none", use_cpu=True)
    trainer = transformers.Trainer(Model(Square), arguments)
    with pytest.raises(InputError, match=r"reports to TensorBoard, but report_to=\[\] arrived"):
        GradientLog(trainer)
