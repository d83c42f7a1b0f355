"""What the experiments share of scikit-learn: its data sets split, and networks to compare with.

Nothing is downloaded: the data sets are in its package.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from torchref.training import Examples, Optimizer, Settings


def split(
    x: Any, target: Tensor, held_out: float, seed: int, classes: Any = None, scale: float = 0.0
) -> tuple[Examples, Examples]:
    """Examples to train on, and the share `held_out` of all, with `classes` in equal proportions.

    x is divided by `scale`, or without one standardised by what the training part shows.
    """
    train_x, held_out_x, train_target, held_out_target = train_test_split(
        x, target, test_size=held_out, stratify=classes, random_state=seed
    )
    scaler = StandardScaler().fit(train_x)

    def scaled(x: Any) -> Tensor:
        return torch.as_tensor(x / scale if scale else scaler.transform(x))

    return Examples(scaled(train_x), train_target), Examples(scaled(held_out_x), held_out_target)


def reference_score(
    kind: type,
    activation: str,
    hidden: int,
    examples: Examples,
    held_out: Examples,
    settings: Settings,
    steps: int,
) -> float:
    """The held-out accuracy or R² of scikit-learn's own MLPClassifier or MLPRegressor.

    It has the size of ours, the same optimiser, batch size and learning rate, and as many steps.
    """

    def column(target: Tensor) -> Any:
        return (target.argmax(dim=1) if target.shape[1] > 1 else target.ravel()).numpy()

    size = (settings.batch_size or len(examples)) * settings.accumulate
    batch = min(size, len(examples))
    network = kind(
        hidden_layer_sizes=(hidden,),
        activation=activation,
        solver="adam" if settings.optimizer in (Optimizer.ADAM, Optimizer.ADAMW) else "sgd",
        momentum=0.9 if settings.optimizer == Optimizer.MOMENTUM else 0.0,
        nesterovs_momentum=False,
        batch_size=batch,
        learning_rate_init=settings.lr,
        alpha=0,
        random_state=np.random.RandomState(
            settings.seed
        ),  # a number would shuffle all epochs alike
    )
    x, target = examples.x.numpy(), column(examples.target)
    classes = {"classes": np.unique(target)} if is_classifier(network) else {}
    epochs, rest = divmod(steps, math.ceil(len(examples) / batch))
    with interruptible():
        for _ in range(epochs):
            network.partial_fit(x, target, **classes)
        if rest:
            network.partial_fit(x[: rest * batch], target[: rest * batch], **classes)
    return float(network.score(held_out.x.numpy(), column(held_out.target)))


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends scikit-learn's training, which by itself warns of it and goes on."""
    message = "Training interrupted by user"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message)
        try:
            yield
        except UserWarning as warning:
            if message in str(warning):
                raise KeyboardInterrupt from None
            raise
