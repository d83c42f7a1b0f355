"""`Settings` keep what their fields say; the rest is refused with what must hold and what came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchref.errors import InputError
from torchref.training import Dtype, Gradients, Optimizer, Schedule, Settings


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("logdir", "x", Path("x")),
        ("resume", Path("runs/mine"), "runs/mine"),
        ("gradients", "torch", [Gradients.TORCH]),
        ("gradients", ("sweep", Gradients.TORCH), [Gradients.SWEEP, Gradients.TORCH]),
        ("dtype", "float64", Dtype.FLOAT64),
        ("optimizer", "adamw", Optimizer.ADAMW),
        ("schedule", "warmup-cosine", Schedule.WARMUP_COSINE),
        ("lr", 1, 1.0),
        ("lr", np.float32(0.5), 0.5),
        ("batch_size", np.int64(3), 3),
        ("weight_decay", 0, 0.0),
        ("clip_norm", None, None),
    ],
)
def test_what_means_a_value_is_kept_as_one(name: str, given: Any, kept: Any) -> None:
    found = getattr(Settings(**{name: given}), name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("name", "given", "must"),
    [
        ("lr", "a", "a positive number"),
        ("lr", 0, "a positive number"),
        ("lr", float("nan"), "a positive number"),
        ("lr", True, "a positive number"),
        ("lr", None, "a positive number"),
        ("weight_decay", -0.1, "0 or a positive number"),
        ("clip_norm", 0.0, "a positive number"),
        ("clip_norm", float("inf"), "a positive number"),
        ("epochs", -1, "a whole number of at least 1"),
        ("epochs", 0, "a whole number of at least 1"),
        ("epochs", "20", "a whole number of at least 1"),
        ("steps", 2.5, "a whole number of at least 1"),
        ("batch_size", True, "a whole number of at least 1"),
        ("accumulate", 0, "a whole number of at least 1"),
        ("check_every", None, "a whole number of at least 0"),
        ("threads", 10**6, "a whole number of at least 1 and at most 1024"),
        ("seed", -1, "a whole number of at least 0 and at most 4294967295"),
        ("quiet", 1, "True or False"),
        ("autocast", "yes", "True or False"),
        ("logdir", 3, "the path of a folder"),
        ("device", 1, "a text that is not empty"),
        ("run_name", "a/b", "a plain name for a folder"),
        ("run_name", 3, "a plain name for a folder"),
        ("dtype", "float16", "one of float32, float64"),
        ("optimizer", "lbfgs", "one of sgd, momentum, adam, adamw"),
        ("schedule", "up", "one of constant, linear, cosine, warmup-cosine"),
        ("gradients", [], "some of handwritten, sweep, torch"),
        ("gradients", "magic", "some of handwritten, sweep, torch"),
        ("gradients", 3, "some of handwritten, sweep, torch"),
    ],
)
def test_what_means_none_is_refused(name: str, given: Any, must: str) -> None:
    with pytest.raises(InputError) as refused:
        Settings(**{name: given})
    invariant, arrived, fix = refused.value.args
    assert invariant.startswith(f"{name} must be {must}")
    assert arrived == f"{given!r} arrived"
    assert fix == "Leave it out." or fix.startswith(f"{name}=")


@pytest.mark.parametrize("name", ["logdir", "resume", "run_name"])
def test_an_empty_name_is_refused_as_on_the_command_line(name: str) -> None:
    option = f"--{name.replace('_', '-')}"
    with pytest.raises(InputError, match=f"{option} must name something, but '' arrived"):
        Settings(**{name: ""})
