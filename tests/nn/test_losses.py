"""Losses and softmaxes as layers: values, gradients, states and copies as torch's."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref.nn
from tests.ops.catalogue_cases import is_differentiated
from tests.random_inputs import seeded
from torchref.catalogue.entry import chance, normal
from torchref.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")

X, OTHER = normal(seeded(0), 5, 3), normal(seeded(1), 5, 3)
NUMBERS = torch.tensor([0, 2, 1, 0, 2])
LABELS = torch.tensor([1, -1, 1, 1, -1])
OF_CLASS = chance(seeded(2), 3)

LOSSES: dict[str, tuple[tuple[Tensor, ...], tuple[dict[str, Any], ...]]] = {
    "MSELoss": ((X, OTHER), ({}, {"reduction": "sum"})),
    "L1Loss": ((X, OTHER), ({}, {"reduction": "none"})),
    "SmoothL1Loss": ((X, OTHER), ({}, {"beta": 0.3, "reduction": "sum"}, {"beta": 0.0})),
    "HuberLoss": ((X, OTHER), ({}, {"delta": 0.3, "reduction": "sum"})),
    "KLDivLoss": (
        (X, chance(seeded(3), 5, 3)),
        ({}, {"reduction": "batchmean"}, {"log_target": True, "reduction": "none"}),
    ),
    "NLLLoss": ((X, NUMBERS), ({}, {"weight": OF_CLASS, "ignore_index": 2, "reduction": "sum"})),
    "CrossEntropyLoss": (
        (X, NUMBERS),
        ({}, {"weight": OF_CLASS, "ignore_index": 1, "label_smoothing": 0.3}),
    ),
    "HingeEmbeddingLoss": ((X[:, 0], LABELS), ({}, {"margin": 0.3, "reduction": "none"})),
    "MarginRankingLoss": (
        (X[:, 0], OTHER[:, 0], LABELS),
        ({}, {"margin": 0.3, "reduction": "sum"}),
    ),
    "MultiMarginLoss": (
        (X, NUMBERS),
        ({}, {"p": 2, "margin": 0.3, "weight": OF_CLASS, "reduction": "sum"}),
    ),
    "CosineEmbeddingLoss": ((X, OTHER, LABELS), ({}, {"margin": 0.3, "reduction": "none"})),
}
SOFTMAXES: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "Softmax": ((1,), (5, 3, 4)),
    "LogSoftmax": ((-2,), (5, 3, 4)),
    "Softmax2d": ((), (2, 3, 4, 5)),
}


def value_and_gradients(layer: torch.nn.Module, *arguments: Tensor) -> tuple[Tensor, ...]:
    leaves = [x.detach().requires_grad_() if is_differentiated(x) else x for x in arguments]
    wrt = [x for x in (*leaves, *layer.parameters()) if x.requires_grad]
    y = layer(*leaves)
    return y.detach(), *torch.autograd.grad(y, wrt, normal(seeded(9), *y.shape))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_torchs_in_all_settings(name: str) -> None:
    arguments, settings = LOSSES[name]
    for setting in settings:
        mine, torchs = (
            value_and_gradients(getattr(nn, name)(**setting), *arguments)
            for nn in (torchref.nn, torch.nn)
        )
        torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_a_copied_loss_keeps_its_settings(name: str) -> None:
    arguments, (*_, setting) = LOSSES[name]
    loss = getattr(torchref.nn, name)(**setting)
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert type(twin) is type(loss)
        assert torch.equal(twin(*arguments), loss(*arguments))


@pytest.mark.parametrize("name", ["NLLLoss", "MultiMarginLoss", "CrossEntropyLoss"])
def test_the_weights_of_classes_are_in_the_state(name: str) -> None:
    mine, its = (getattr(nn, name)(weight=OF_CLASS) for nn in (torchref.nn, torch.nn))
    mine.load_state_dict(its.state_dict())
    its.load_state_dict(mine.state_dict())
    assert list(mine.state_dict()) == list(its.state_dict()) == ["weight"]


LINEAR = (
    {},
    {"bias": True, "weight": OF_CLASS, "ignore_index": 1, "label_smoothing": 0.3},
    {"bias": True, "out_features": (2,), "reduction": "none"},
)


@pytest.mark.parametrize("settings", LINEAR, ids=str)
def test_a_linear_cross_entropy_is_torchs_and_its_state_loads_both_ways(
    settings: dict[str, Any],
) -> None:
    layers = []
    for nn in (torchref.nn, torch.nn):
        torch.manual_seed(0)
        layers.append(nn.LinearCrossEntropyLoss(4, 3, dtype=torch.float64, **settings))
    target = NUMBERS.clone()
    x = normal(seeded(4), 5, 4)
    if "out_features" in settings:
        target = torch.stack((target, target.flip(0)), 1)
    mine, torchs = (value_and_gradients(layer, x, target) for layer in layers)
    torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13)
    ours, its = layers
    for giver, taker in ((ours, its), (its, ours)):
        for parameter in giver.parameters():
            torch.nn.init.normal_(parameter)
        assert str(taker.load_state_dict(giver.state_dict())) == "<All keys matched successfully>"
        torch.testing.assert_close(ours(x, target), its(x, target), rtol=1e-12, atol=1e-13)


def test_the_rows_of_a_linear_cross_entropy_may_be_chosen() -> None:
    x = normal(seeded(4), 5, 4)
    torch.manual_seed(0)
    plain = torchref.nn.LinearCrossEntropyLoss(4, 3, dtype=torch.float64)
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2)
    chosen = torchref.nn.LinearCrossEntropyLoss(4, 3, dtype=torch.float64, options=options)
    chosen.load_state_dict(plain.state_dict())
    results = (value_and_gradients(layer, x, NUMBERS) for layer in (plain, chosen))
    torch.testing.assert_close(*results, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", SOFTMAXES)
def test_a_softmax_is_torchs(name: str) -> None:
    arguments, shape = SOFTMAXES[name]
    for x in (normal(seeded(0), *shape), normal(seeded(1), *shape[1:])):
        if name != "Softmax2d" and x.dim() < 3:
            continue
        mine, torchs = (
            value_and_gradients(getattr(nn, name)(*arguments), x) for nn in (torchref.nn, torch.nn)
        )
        torch.testing.assert_close(mine, torchs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_without_a_dim_it_warns_of_the_users_line(name: str) -> None:
    for nn in (torch.nn, torchref.nn):
        with pytest.warns(UserWarning, match="Implicit dimension choice") as warned:
            getattr(nn, name)()(X)
        assert warned[0].filename == torch.nn.modules.module.__file__


def test_softmax2d_refuses_what_is_no_picture() -> None:
    with pytest.raises(InputError, match=r"Softmax2d: input must have shape .* \(5, 3\)"):
        torchref.nn.Softmax2d()(X)


def test_sparsemax_is_a_layer() -> None:
    layer = torchref.nn.Sparsemax(dim=0)
    assert repr(layer) == "Sparsemax(dim=0)"
    torch.testing.assert_close(layer(X).sum(0), torch.ones(3, dtype=torch.float64))
