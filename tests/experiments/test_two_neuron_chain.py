import math
import os
import re
import subprocess
import sys
from decimal import Decimal
from math import prod
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.lecture.worked_example import next_iteration, worked_example
from experiments.two_neuron_chain import main
from torchref.training import Dtype, Gradients, Settings

# From σ and the chain rule alone, in decimals of 30 digits.
PRECISE = {
    "w₁": 0.15,
    "b₁": 0.40,
    "w₂": 0.45,
    "b₂": 0.65,
    "z₁": 0.415,
    "a₁": 0.60228617688863066,
    "z₂": 0.9210287795998838,
    "a₂": 0.71525168025275552,
    "E": 0.10822956298900613,
    "∂E/∂w₂": 0.057070398201054937,
    "w₂ − α ∂E/∂w₂": 0.42717184071957803,
    "∂E/∂b₂": 0.094756280969084704,
    "b₂ − α ∂E/∂b₂": 0.61209748761236612,
    "∂E/∂w₁": 0.0010213958814763398,
    "w₁ − α ∂E/∂w₁": 0.14959144164740946,
    "∂E/∂b₁": 0.010213958814763398,
    "b₁ − α ∂E/∂b₁": 0.39591441647409464,
}
LECTURE = {
    "w₁": "0.15",
    "b₁": "0.40",
    "w₂": "0.45",
    "b₂": "0.65",
    "z₁": "0.415",
    "a₁": "0.6023",
    "z₂": "0.9210",
    "a₂": "0.7153",
    "E": "",
    "∂E/∂w₂": "0.05706",
    "w₂ − α ∂E/∂w₂": "0.427",
    "∂E/∂b₂": "0.0948",
    "b₂ − α ∂E/∂b₂": "0.612",
    "∂E/∂w₁": "0.001021",
    "w₁ − α ∂E/∂w₁": "0.1496",
    "∂E/∂b₁": "0.01021",
    "b₁ − α ∂E/∂b₁": "0.3959",
}
BOTH = [Gradients.HANDWRITTEN, Gradients.TORCH]
NUMBERS = worked_example(torch.device("cpu"))


@pytest.mark.slow
def test_a_terminal_without_unicode_gets_every_line(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "experiments.two_neuron_chain", "--dry-run"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(
        [*call, "--logdir", str(tmp_path)], capture_output=True, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert rb"\u2202E/\u2202a" in ended.stdout


def test_all_numbers_are_there_with_the_lectures_digits() -> None:
    assert {each.name: each.lecture for each in NUMBERS} == LECTURE


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_number_is_right_and_rounds_to_the_lectures(number) -> None:
    assert number.value.item() == pytest.approx(PRECISE[number.name], rel=1e-15)
    if not number.lecture:
        return
    rounded = Decimal(number.value.item()).quantize(Decimal(number.lecture))
    # The lecture multiplies rounded numbers for this one, and is off by one in its last digit.
    own_rounding = Decimal("0.00001") if number.name == "∂E/∂w₂" else 0
    assert rounded - Decimal(number.lecture) == own_rounding


@pytest.mark.parametrize(
    "number", [each for each in NUMBERS if each.factors], ids=lambda number: number.name
)
def test_a_gradient_is_the_product_of_its_factors(number) -> None:
    factors = [factor.item() for factor in number.factors.values()]
    assert len(factors) == (3 if number.name[-1] == "₂" else 5)
    assert number.value.item() == pytest.approx(prod(factors), rel=1e-15)


def test_the_second_iteration_goes_on_from_the_updates() -> None:
    second = {each.name: each.value.item() for each in next_iteration(NUMBERS, torch.device("cpu"))}
    for name in ("w₁", "b₁", "w₂", "b₂"):
        assert second[name] == pytest.approx(PRECISE[f"{name} − α ∂E/∂{name}"], rel=1e-15)
    sigma = [1 / (1 + math.exp(-second[z])) for z in ("z₁", "z₂")]
    assert [second["a₁"], second["a₂"]] == pytest.approx(sigma, rel=1e-15)
    assert second["E"] == pytest.approx((0.25 - second["a₂"]) ** 2 / 2, rel=1e-14)
    assert second["E"] < PRECISE["E"]


def last_run(logdir: Path, run: str) -> EventAccumulator:
    (folder,) = (logdir / "two_neuron_chain").iterdir()
    return EventAccumulator(str(folder / run)).Reload()


def test_the_threshold_stops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(
        Settings(dtype=Dtype.FLOAT64, gradients=BOTH, epochs=1000, lr=0.4, logdir=tmp_path),
        threshold=0.001,
    )
    *_, verdict = capsys.readouterr().out.splitlines()
    found = re.fullmatch(r"Epoch (\d+), stopped by the threshold: error (\S+) < 0.001\.", verdict)
    assert found
    assert 0 < int(found[1]) < 1000
    assert float(found[2]) < 0.001
    losses = last_run(tmp_path, "handwritten").Scalars("loss/train")
    assert losses[0].value == pytest.approx((0.25 - PRECISE["a₂"]) ** 2 / 2)
    assert losses[-2].value >= 0.001 > losses[-1].value


@pytest.mark.parametrize("gradients", Gradients)
def test_the_epochs_stop_it_by_any_gradients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], gradients: Gradients
) -> None:
    epochs = {"epochs": 5} if gradients == Gradients.SWEEP else {"dry_run": True}  # draws nothing
    main(
        Settings(dtype=Dtype.FLOAT64, gradients=[gradients], lr=0.4, logdir=tmp_path, **epochs),
        threshold=0.001,
    )
    *_, verdict = capsys.readouterr().out.splitlines()
    last = epochs.get("epochs", 1)
    assert re.fullmatch(rf"Epoch {last}, stopped by the epochs: error 0\.\d+ ≥ 0.001\.", verdict)


def test_the_seed_draws_the_random_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starts = []
    for seed in (3, 4, 4):
        settings = Settings(
            dtype=Dtype.FLOAT64, gradients=BOTH, seed=seed, logdir=tmp_path, dry_run=True
        )
        main(settings, threshold=0, random_start=True)
        told = re.search(r"^epoch +0 +handwritten: (.*)$", capsys.readouterr().out, re.MULTILINE)
        assert told
        starts.append(told[1])
    assert starts[0] != starts[1]
    assert starts[1] == starts[2]


@pytest.mark.cuda
def test_on_cuda(tmp_path: Path) -> None:
    for number in worked_example(torch.device("cuda")):
        assert number.value.is_cuda
        assert number.value.item() == pytest.approx(PRECISE[number.name], rel=1e-14)
    main(
        Settings(
            device="cuda", dtype=Dtype.FLOAT64, gradients=BOTH, epochs=20, lr=0.4, logdir=tmp_path
        ),
        threshold=0.001,
    )
    assert len(last_run(tmp_path, "handwritten").Scalars("loss/train")) == 21
