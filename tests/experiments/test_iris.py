import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.iris import DEFAULTS, HELD_OUT, flowers, main
from tests.training.small_task import rows
from tests.warm_process import Ended, run
from torchref.nn import SigmoidNetwork


def run_in(logdir: Path, *arguments: str) -> Ended:
    """The script as a user runs it."""
    return run("experiments.iris", "--logdir", logdir, *arguments)


def test_the_network_is_the_lectures() -> None:
    sizes = [parameter.numel() for parameter in SigmoidNetwork((4, 3, 2)).parameters()]
    assert sum(sizes[0::2]) == 18
    assert sum(sizes[1::2]) == 5


def test_flowers_are_held_out_by_species_and_standardised_without_them() -> None:
    examples, held_out = flowers(seed=0)
    assert len(examples.x) == 100 - HELD_OUT
    assert len(held_out.x) == HELD_OUT
    for part in (examples, held_out):
        assert part.target.sum(dim=0).tolist() == [len(part.x) / 2] * 2
        assert part.target.sum(dim=1).unique().tolist() == [1]
    torch.testing.assert_close(examples.x.mean(dim=0), torch.zeros(4).double())
    torch.testing.assert_close(examples.x.std(dim=0, correction=0), torch.ones(4).double())
    assert held_out.x.mean(dim=0).abs().min() > 1e-6
    assert not torch.equal(flowers(seed=1)[0].x, examples.x)


@pytest.mark.parametrize("seed", range(4))
def test_it_learns_to_tell_flowers_that_it_never_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    main(replace(DEFAULTS, seed=seed, logdir=tmp_path))
    printed = capsys.readouterr().out.splitlines()[-2:]
    for line, gradients in zip(printed, ("handwritten", "torch"), strict=True):
        found = re.match(rf"With {gradients} gradients (\d+) of {HELD_OUT} held-out flowers", line)
        assert found
        assert int(found[1]) >= 0.9 * HELD_OUT


@pytest.mark.slow
def test_the_script_trains_both_ways_and_repeats_by_its_seed(tmp_path: Path) -> None:
    runs = [run_in(tmp_path, "--epochs", "100", "--seed", "5") for _ in range(2)]
    for each in runs:
        assert each.returncode == 0, each.stderr
        assert each.stderr == ""
        assert each.stdout.splitlines()[-1] == (f"Look at it: tensorboard --logdir {tmp_path}")
    first, second = sorted((tmp_path / "iris").iterdir())
    assert f"The run is in {first}\n" in runs[0].stdout
    assert runs[0].stdout == runs[1].stdout.replace(str(second), str(first))
    assert rows(first) == rows(second)
    curves = [
        EventAccumulator(str(first / way)).Reload().Scalars("loss/train")
        for way in ("handwritten", "torch")
    ]
    assert [len(curve) for curve in curves] == [101, 101]
    assert [each.value for each in curves[0]] == pytest.approx([each.value for each in curves[1]])
    assert curves[0][-1].value < curves[0][0].value / 2


def test_bad_input_ends_the_script_with_status_2_and_one_message(tmp_path: Path) -> None:
    (tmp_path / "a_file").write_text("in the way")
    ended = run_in(tmp_path / "a_file")
    assert ended.returncode == 2
    assert ended.stdout == ""
    (message,) = ended.stderr.splitlines()
    assert message.startswith("Error: The log folder must be a folder that can be written")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_absent_cuda_is_said_and_nothing_is_left_behind(tmp_path: Path) -> None:
    ended = run_in(tmp_path, "--device", "cuda")
    assert ended.returncode == 2
    assert ended.stdout == ""
    (message,) = ended.stderr.splitlines()
    assert message.startswith("Error: The device cuda needs CUDA")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.cuda
def test_on_cuda(tmp_path: Path) -> None:
    ended = run_in(tmp_path, "--device", "cuda")
    assert ended.returncode == 0, ended.stderr
    (folder,) = (tmp_path / "iris").iterdir()
    last = EventAccumulator(str(folder / "handwritten")).Reload().Scalars("accuracy/held_out")[-1]
    assert last.value >= 0.9
