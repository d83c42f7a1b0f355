"""What the experiments share of scikit-learn: its data sets split, and networks to compare with.

Nothing is downloaded: the data sets are in its package.
"""

import warnings
from typing import Any

import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from torchref.training import Examples, Settings


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
) -> float:
    """The held-out accuracy or R² of scikit-learn's own MLPClassifier or MLPRegressor.

    It has the size of ours, the same batch size and learning rate, and as many epochs, with Adam.
    """

    def column(target: Tensor) -> Any:
        return (target.argmax(dim=1) if target.shape[1] > 1 else target.ravel()).numpy()

    epochs = settings.epochs_over(len(examples))
    network = kind(
        hidden_layer_sizes=(hidden,),
        activation=activation,
        batch_size=settings.batch_size or len(examples),
        learning_rate_init=settings.lr,
        max_iter=epochs,
        n_iter_no_change=epochs,
        alpha=0,
        random_state=settings.seed,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        network.fit(examples.x.numpy(), column(examples.target))
    return float(network.score(held_out.x.numpy(), column(held_out.target)))
