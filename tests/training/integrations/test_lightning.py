from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

pl = pytest.importorskip("lightning.pytorch")

from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger  # noqa: E402
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

from tests.training.integrations.squares import Square, SquareWithoutTwo, data, network  # noqa: E402
from torchref.errors import InputError  # noqa: E402
from torchref.training.integrations.lightning import GradientLog  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
]
NORM, RATIO = "gradient_norm/net.0.weight", "update_ratio/net.0.weight"


class Fit(pl.LightningModule):
    """Learns a sum, and keeps what its optimiser received and did, step by step."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.net = network(function)
        self.norms: list[float] = []
        self.ratios: list[float] = []

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        x, target = batch
        loss = torch.nn.functional.mse_loss(self.net(x), target)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        before = self.net[0].weight.detach().clone()
        super().optimizer_step(*args, **kwargs)
        weight = self.net[0].weight
        self.norms.append(weight.grad.norm().item())
        self.ratios.append(((weight.detach() - before).norm() / before.norm()).item())


def fitted(
    folder: Path, *callbacks: Any, function: Any = Square, logger: Any = None, **options: Any
) -> Fit:
    torch.manual_seed(3)
    model = Fit(function)
    trainer = pl.Trainer(
        logger=TensorBoardLogger(folder, name="", version="run") if logger is None else logger,
        callbacks=list(callbacks),
        accelerator="cpu",
        max_epochs=3,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(model, torch.utils.data.DataLoader(data(), batch_size=4))
    return model


def board(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / "run")).Reload()


def curve(events: EventAccumulator, tag: str) -> dict[int, float]:
    return {each.step: each.value for each in events.Scalars(tag)}


ACCUMULATED: dict[str, Any] = {
    "accumulate_grad_batches": 2,
    "gradient_clip_val": 0.05,
    "precision": "bf16-mixed",
}


@pytest.mark.parametrize("options", [{}, ACCUMULATED], ids=["plain", "accumulated"])
def test_it_logs_what_the_optimiser_receives_and_changes_nothing(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    plain = fitted(tmp_path / "plain", **options)
    watched = fitted(tmp_path / "watched", GradientLog(every=3, check_every=4), **options)
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, watched.state_dict()[name])
    events = board(tmp_path / "watched")
    steps = range(2, len(plain.norms), 3)
    assert curve(events, NORM) == pytest.approx({n: plain.norms[n] for n in steps})
    assert curve(events, RATIO) == pytest.approx({n: plain.ratios[n] for n in steps})
    assert set(steps) <= curve(events, "loss").keys()
    checked = range(0, len(plain.norms), 4)
    assert curve(events, "gradients/verdict") == dict.fromkeys(checked, 1.0)
    if options:
        assert len(plain.norms) == 9
        assert max(plain.norms) <= 0.05


def text(events: EventAccumulator) -> list[str]:
    found = events.Tensors("live_check/text_summary")
    return [each.tensor_proto.string_val[0].decode() for each in found]


@pytest.mark.parametrize("options", [{}, ACCUMULATED], ids=["plain", "accumulated"])
def test_a_wrong_function_is_told_in_the_logger_and_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    fitted(tmp_path, GradientLog(check_every=2), function=SquareWithoutTwo, **options)
    events = board(tmp_path)
    assert set(curve(events, "gradients/verdict").values()) == {-1.0}
    (told,) = text(events)  # once: the next ones say nothing new
    assert "SquareWithoutTwo: wrong" in told
    assert "constant-factor" in told
    assert "Live check at step 0:\n" in capsys.readouterr().out


def test_what_is_expected_and_where_nothing_is_applied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = GradientLog(expect={"SquareWithoutTwo": "half of it, on purpose"})
    fitted(tmp_path / "meant", log, function=SquareWithoutTwo)
    assert "half of it, on purpose" in text(board(tmp_path / "meant"))[0]
    fitted(tmp_path / "none", GradientLog(), function=None)
    events = board(tmp_path / "none")
    assert curve(events, "gradients/verdict") == {0: 0.0}
    assert "No Function was applied" in text(events)[0]
    assert "No Function was applied" in capsys.readouterr().out


def test_a_logger_without_texts_gets_the_numbers(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, name="", version="run")
    fitted(tmp_path, GradientLog(every=2), logger=logger)
    assert NORM in (tmp_path / "run" / "metrics.csv").read_text().partition("\n")[0]


def test_what_it_cannot_work_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a logger of the trainer's, but logger=False"):
        fitted(tmp_path, GradientLog(), logger=False)
    with pytest.raises(InputError, match=r"every must be a whole number of steps.*0\.5 arrived"):
        GradientLog(every=0.5)
    with pytest.raises(InputError, match=r"options of a report must be of .*nonsense arrived"):
        GradientLog(nonsense=3)
    with pytest.raises(InputError, match="expect must give a reason"):
        GradientLog(expect={"Square": ""})


class Fails(Fit):
    def backward(self, *_: Any) -> None:
        raise ZeroDivisionError


def test_an_error_of_the_training_leaves_nothing_recording(tmp_path: Path) -> None:
    log = GradientLog(every=1)
    trainer = pl.Trainer(
        logger=TensorBoardLogger(tmp_path),
        callbacks=[log],
        accelerator="cpu",
        max_epochs=1,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with pytest.raises(ZeroDivisionError):
        trainer.fit(Fails(Square), torch.utils.data.DataLoader(data(), batch_size=4))
    assert log.watch.audit is None
    assert log.watch.handles == []
