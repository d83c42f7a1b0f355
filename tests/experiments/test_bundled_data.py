"""What scikit-learn's network is given, so that it can be compared with ours."""

import os
import signal
import warnings

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor

from experiments.bundled_data import interruptible, reference_score, split
from torchref.training import Examples, Optimizer, Settings


def parts(examples: int = 25) -> tuple[Examples, Examples]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(examples, 3, generator=generator, dtype=torch.float64).numpy()
    return split(x, torch.as_tensor(x @ np.ones((3, 1))), 0.2, seed=0)


@pytest.mark.parametrize(("batch_size", "steps"), [(6, 1), (6, 4), (6, 11), (None, 3), (500, 2)])
@pytest.mark.parametrize("optimizer", Optimizer)
def test_it_takes_as_many_steps_as_ours(
    monkeypatch: pytest.MonkeyPatch, batch_size: int | None, steps: int, optimizer: Optimizer
) -> None:
    taken = []
    backprop = MLPRegressor._backprop

    def counted(network: MLPRegressor, x: object, *arguments: object) -> object:
        taken.append(len(x))
        return backprop(network, x, *arguments)

    monkeypatch.setattr(MLPRegressor, "_backprop", counted)
    settings = Settings(batch_size=batch_size, optimizer=optimizer)
    reference_score(MLPRegressor, "tanh", 4, *parts(), settings, steps)
    sizes = [6, 6, 6, 2] if batch_size == 6 else [20]
    assert taken == (sizes * steps)[:steps]


def test_every_epoch_has_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []
    backprop = MLPRegressor._backprop

    def noted(network: MLPRegressor, x: np.ndarray, *arguments: object) -> object:
        orders.append(tuple(x[:, 0]))
        return backprop(network, x, *arguments)

    monkeypatch.setattr(MLPRegressor, "_backprop", noted)
    reference_score(MLPRegressor, "tanh", 4, *parts(), Settings(), 5)
    assert len(set(orders)) == 5


def test_the_same_seed_repeats_it_and_steps_change_it() -> None:
    def score(steps: int, seed: int = 0) -> float:
        settings = Settings(batch_size=6, seed=seed)
        return reference_score(MLPRegressor, "tanh", 4, *parts(), settings, steps)

    assert score(8) == score(8)
    assert len({score(8), score(9), score(8, seed=1)}) == 3


def test_classes_are_all_known_from_the_first_step() -> None:
    columns = torch.eye(4)[torch.arange(24) % 4]
    examples = Examples(torch.eye(4).double()[torch.arange(24) % 4], columns)
    settings = Settings(batch_size=1, optimizer=Optimizer.ADAM, lr=0.05)
    few, many = (
        reference_score(MLPClassifier, "relu", 9, examples, examples, settings, steps)
        for steps in (1, 480)
    )
    assert few < many == 1.0


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    backprop = MLPRegressor._backprop

    def interrupted(*arguments: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return backprop(*arguments)

    monkeypatch.setattr(MLPRegressor, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reference_score(MLPRegressor, "tanh", 4, *parts(), Settings(), 5)


def test_another_warning_is_not_taken_for_ctrl_c() -> None:
    with pytest.raises(UserWarning, match="something else"), interruptible():
        warnings.warn("something else", stacklevel=1)
