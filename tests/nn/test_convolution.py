"""Convolutions and pooling as layers: torch's, in every setting of theirs."""

import copy
import pickle
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref.nn
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

LENGTHS = (7, 6, 5)
MODES = ("zeros", "reflect", "replicate", "circular")
SETTINGS: tuple[dict[str, Any], ...] = (
    {"bias": False, "stride": 2},
    {"groups": 2, "dilation": 2, "padding": 1},
    *({"padding": 2, "padding_mode": mode} for mode in MODES),
    *({"padding": "same", "padding_mode": mode} for mode in MODES),
    {"padding": "valid", "padding_mode": "circular"},
)


def made(nn: ModuleType, name: str, *arguments: Any, **settings: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    return getattr(nn, name)(*arguments, **settings).double()


def seen(layer: torch.nn.Module, x: Tensor, *arguments: Any) -> list[Tensor]:
    """The value, and the gradients of input and parameters."""
    x = x.detach().requires_grad_()
    y = layer(x, *arguments)
    wrt = (x, *layer.parameters())
    return [y, *torch.autograd.grad(y, wrt, normal(seeded(9), *y.shape))]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_convolution_is_torchs(rank: int, settings: dict[str, Any]) -> None:
    mine, its = (
        made(nn, f"Conv{rank}d", 4, 6, (3, 2, 4)[:rank], **settings)
        for nn in (torchref.nn, torch.nn)
    )
    for leading in ((2, 4), (4,), (0, 4)):
        x = normal(seeded(1), *leading, *LENGTHS[:rank])
        torch.testing.assert_close(seen(mine, x), seen(its, x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine.state_dict(), its.state_dict(), rtol=0, atol=0)
    mine.load_state_dict(its.state_dict())


@pytest.mark.parametrize("settings", SETTINGS[:2], ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_transposed_convolution_is_torchs(rank: int, settings: dict[str, Any]) -> None:
    mine, its = (
        made(nn, f"ConvTranspose{rank}d", 4, 6, 3, **settings) for nn in (torchref.nn, torch.nn)
    )
    x = normal(seeded(1), 2, 4, *LENGTHS[:rank])
    torch.testing.assert_close(seen(mine, x), seen(its, x), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine.state_dict(), its.state_dict(), rtol=0, atol=0)


def test_the_size_of_the_output_is_chosen() -> None:
    mine, its = (made(nn, "ConvTranspose1d", 4, 6, 3, stride=3) for nn in (torchref.nn, torch.nn))
    x = normal(seeded(1), 2, 4, 5)
    for size in (15, 16, 17):
        results = (seen(layer, x, [size]) for layer in (mine, its))
        torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="output size"):
        mine(x, [18])


@pytest.mark.parametrize("mode", ["reflect", "circular"])
def test_more_padding_than_there_is_input_is_refused(mode: str) -> None:
    layer = torchref.nn.Conv1d(1, 1, 3, padding=5, padding_mode=mode)
    with pytest.raises(InputError, match=rf"padding_mode '{mode}': the padding must be at most"):
        layer(torch.ones(2, 1, 4))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "arguments", "settings"),
    [
        ("MaxPool", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
        ("MaxPool", (2,), {"dilation": 2}),
        ("AvgPool", (3,), {"stride": 2, "padding": 1, "count_include_pad": False}),
        ("AdaptiveMaxPool", (2,), {}),
        ("AdaptiveAvgPool", (3,), {}),
    ],
)
def test_a_pool_is_torchs(
    name: str, arguments: tuple[int, ...], settings: dict[str, Any], rank: int
) -> None:
    mine, its = (
        made(nn, f"{name}{rank}d", *arguments, **settings) for nn in (torchref.nn, torch.nn)
    )
    x = normal(seeded(1), 2, 4, *LENGTHS[:rank])
    torch.testing.assert_close(seen(mine, x), seen(its, x), rtol=1e-12, atol=1e-13)


def test_a_pool_returns_places_too() -> None:
    x = normal(seeded(1), 2, 4, 7)
    for name, argument in (("MaxPool1d", 3), ("AdaptiveMaxPool1d", 2)):
        mine, its = (
            getattr(nn, name)(argument, return_indices=True)(x) for nn in (torchref.nn, torch.nn)
        )
        torch.testing.assert_close(mine, its, rtol=0, atol=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_computes_the_same(copied) -> None:
    layer = torchref.nn.Conv1d(4, 6, 3, padding=1, padding_mode="reflect").double()
    x = normal(seeded(0), 2, 4, 5)
    assert type(copied(layer)) is torchref.nn.Conv1d
    assert torch.equal(copied(layer)(x), layer(x))


A_NETWORK = """
def network(nn):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding="same", padding_mode="circular"),
        nn.Dropout(0.3),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 3),
    ).double()
"""


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_network_of_pictures_trains_as_torchs(compiled: bool) -> None:
    scope: dict[str, Any] = {}
    exec(A_NETWORK, scope)
    networks = []
    for nn in (torchref.nn, torch.nn):
        torch.manual_seed(0)
        network = scope["network"](nn).train(not compiled)  # compiled code draws other numbers
        called = network
        if compiled:
            called = torch.compile(network, fullgraph=True, backend="aot_eager")
        torch.manual_seed(1)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for step in range(3):
            optimizer.zero_grad()
            called(normal(seeded(step), 5, 1, 8, 8)).square().sum().backward()
            optimizer.step()
        networks.append(network.state_dict())
    torch.testing.assert_close(*networks, rtol=1e-9, atol=1e-10)
    torch.compiler.reset()
