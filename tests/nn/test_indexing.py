"""Embeddings and dropout as layers: torch's, in every setting, in training and evaluation."""

import copy
from typing import Any

import pytest
import torch

import torchref.nn
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.errors import InputError

ROWS = torch.tensor([[2, 0, 1], [2, 2, 0]])
SETTINGS = (
    {},
    {"padding_idx": 2},
    {"padding_idx": -4, "scale_grad_by_freq": True},
    {"max_norm": 0.5},
    {"max_norm": 0.5, "norm_type": 1.0},
)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_an_embedding_is_torchs(settings: dict[str, Any]) -> None:
    layers = []
    for nn in (torch.nn, torchref.nn):
        torch.manual_seed(0)
        layers.append(nn.Embedding(5, 3, **settings).double())
    results = []
    for layer in layers:
        y = layer(ROWS)
        grads = torch.autograd.grad(y, layer.weight, normal(seeded(1), *y.shape))
        results.append((y, *grads, layer.state_dict()))
    torch.testing.assert_close(results[1], results[0], rtol=1e-12, atol=1e-13)
    layers[1].load_state_dict(layers[0].state_dict())
    assert torch.equal(copy.deepcopy(layers[1])(ROWS), layers[1](ROWS))


def test_an_embedding_from_a_table() -> None:
    layer = torchref.nn.Embedding.from_pretrained(normal(seeded(0), 5, 3))
    assert type(layer) is torchref.nn.Embedding
    assert torch.equal(layer(ROWS), layer.weight[ROWS])
    assert not layer.weight.requires_grad


def test_a_sparse_embedding_is_refused_when_it_is_called() -> None:
    with pytest.raises(InputError, match="embedding: sparse must be False"):
        torchref.nn.Embedding(5, 3, sparse=True)(ROWS)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_torchs(number: int, training: bool) -> None:
    name = f"Dropout{number}d" if number else "Dropout"
    x = normal(seeded(0), 4, 3, *range(2, 2 + number)).requires_grad_()
    results = []
    for nn in (torch.nn, torchref.nn):
        torch.manual_seed(0)
        y = getattr(nn, name)(0.4).train(training)(x)
        results.append((y, *torch.autograd.grad(y, x, normal(seeded(1), *y.shape))))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)


def test_dropout_in_place_is_refused() -> None:
    with pytest.raises(InputError, match="dropout: inplace must be False"):
        torchref.nn.Dropout(inplace=True)(torch.ones(3))
