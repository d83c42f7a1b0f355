"""Recurrent layers: values, gradients and states as torch's, in all settings."""

import copy
import pickle
from itertools import product
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import torchref.nn
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal

LAYERS, CELLS = ("RNN", "LSTM", "GRU"), ("RNNCell", "LSTMCell", "GRUCell")
OF_ONE = {
    "RNN": ({}, {"nonlinearity": "relu"}),
    "LSTM": ({}, {"proj_size": 3}),
    "GRU": ({},),
}
KINDS = [(name, extra) for name in LAYERS for extra in OF_ONE[name]]
SETTINGS = [
    {"num_layers": layers, "bias": bias, "batch_first": first, "bidirectional": both}
    for layers, bias, first, both in product((1, 2), (True, False), (True, False), (True, False))
]


def made(nn: ModuleType, name: str, **settings: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    return getattr(nn, name)(5, 4, **settings).double()


def flat(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, PackedSequence):
        return [outputs.data]
    return [x for each in outputs for x in flat(each)]


def values_and_gradients(layer: torch.nn.Module, x: Any, hx: Any = None) -> list[Tensor]:
    leaf = x.data if isinstance(x, PackedSequence) else x
    leaf.requires_grad_()
    torch.manual_seed(1)
    outputs = flat(layer(x, hx) if hx is not None else layer(x))
    loss = sum((y * normal(seeded(7), *y.shape)).sum() for y in outputs)
    return [*outputs, *torch.autograd.grad(loss, [leaf, *layer.parameters()])]


def assert_torchs(name: str, x: Any, hx: Any = None, **settings: Any) -> None:
    mine, its = (
        values_and_gradients(made(nn, name, **settings), x, hx) for nn in (torchref.nn, torch.nn)
    )
    torch.testing.assert_close(mine, its, rtol=1e-11, atol=1e-12)


def state(name: str, settings: dict[str, Any], *batch: int) -> Any:
    layers = settings["num_layers"] * (1 + settings["bidirectional"])
    h = normal(seeded(2), layers, *batch, settings.get("proj_size", 4))
    return (h, normal(seeded(3), layers, *batch, 4)) if name == "LSTM" else h


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("name", "extra"), KINDS, ids=str)
def test_layers_are_torchs(name: str, extra: dict[str, Any], settings: dict[str, Any]) -> None:
    settings = settings | extra | {"dropout": 0.3 * (settings["num_layers"] > 1)}
    x = normal(seeded(1), 3, 6, 5)
    assert_torchs(name, x, **settings)
    batch = x.shape[0 if settings["batch_first"] else 1]
    assert_torchs(name, x, state(name, settings, batch), **settings)
    assert_torchs(name, x[0].clone(), **settings)
    assert_torchs(name, x[0].clone(), state(name, settings), **settings)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("name", "extra"), KINDS, ids=str)
def test_packed_sequences_are_torchs(name: str, extra: dict[str, Any], both: bool) -> None:
    """Without dropout: torch draws what is dropped for packed numbers, not for padded ones."""
    settings = {"num_layers": 2, "bidirectional": both, "batch_first": True, **extra}
    for lengths, is_sorted in (((3, 6, 1, 4), False), ((5, 2, 2), True)):
        sequences = [normal(seeded(length), length, 5) for length in lengths]
        packed = pack_sequence(sequences, enforce_sorted=is_sorted)
        assert_torchs(name, packed, **settings)
        hx = state(name, settings, len(lengths))
        assert_torchs(name, packed, hx, **settings)
        mine, its = (made(nn, name, **settings)(packed)[0] for nn in (torchref.nn, torch.nn))
        assert torch.equal(mine.batch_sizes, its.batch_sizes)
        for indices in ("sorted_indices", "unsorted_indices"):
            one, other = getattr(mine, indices), getattr(its, indices)
            assert one is other is None or torch.equal(one, other)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_cells_are_torchs(name: str, bias: bool) -> None:
    x, h, c = (normal(seeded(seed), 3, size) for seed, size in ((0, 5), (1, 4), (2, 4)))
    hx = (h, c) if name == "LSTMCell" else h
    assert_torchs(name, x, bias=bias)
    assert_torchs(name, x, hx, bias=bias)
    alone = tuple(part[0] for part in hx) if isinstance(hx, tuple) else hx[0]
    assert_torchs(name, x[0].clone(), alone, bias=bias)
    if name == "RNNCell":
        assert_torchs(name, x, hx, bias=bias, nonlinearity="relu")


@pytest.mark.parametrize("name", [*LAYERS, *CELLS])
def test_states_load_both_ways_and_it_prints_alike(name: str) -> None:
    for giver, taker in ((torch.nn, torchref.nn), (torchref.nn, torch.nn)):
        source, copied = made(giver, name), getattr(taker, name)(5, 4).double()
        assert str(copied.load_state_dict(source.state_dict())) == "<All keys matched successfully>"
        assert repr(source) == repr(copied)
        x = normal(seeded(0), 3, 5)
        torch.testing.assert_close(copied(x), source(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*LAYERS, *CELLS])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_its_own_weights(name: str, copied: Any) -> None:
    layer = made(torchref.nn, name)
    twin, x = copied(layer), normal(seeded(0), 3, 5)
    assert type(twin) is type(layer)
    before = flat(layer(x))
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    torch.testing.assert_close(flat(layer(x)), before, rtol=0, atol=0)
    assert not torch.equal(flat(twin(x))[0], before[0])


@pytest.mark.parametrize("name", LAYERS)
def test_weights_that_are_handed_over_are_used(name: str) -> None:
    """`torch.func.functional_call`, and gradients by it."""
    layer, x = made(torchref.nn, name), normal(seeded(0), 3, 2, 5)
    doubled = {key: 2 * value.detach() for key, value in layer.state_dict().items()}

    def loss(weights: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(layer, weights, (x,))[0].sum()

    mine = torch.func.grad(loss)(doubled)
    its = made(torch.nn, name)
    its.load_state_dict(doubled)
    expected = torch.autograd.grad(its(x)[0].sum(), list(its.parameters()))
    torch.testing.assert_close(tuple(mine.values()), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", [*LAYERS, *CELLS])
def test_what_does_not_fit_is_refused(name: str) -> None:
    layer = made(torchref.nn, name)
    with pytest.raises((ValueError, RuntimeError)):
        layer(normal(seeded(0), 3, 2, 2, 5))
    with pytest.raises((ValueError, RuntimeError)):
        layer(normal(seeded(0), 3, 4))
    with pytest.raises((ValueError, RuntimeError)):
        layer(normal(seeded(0), 3, 5).float())
    h = normal(seeded(0), 1, 7, 4)
    with pytest.raises((ValueError, RuntimeError)):
        layer(normal(seeded(0), 3, 2, 5), (h, h) if name.startswith("LSTM") else h)


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("name", LAYERS)
@torch._dynamo.config.patch(allow_rnn=True)  # else it takes no subclass of torch's own
def test_a_layer_compiles_in_one_graph(name: str) -> None:
    layer, x = made(torchref.nn, name), normal(seeded(0), 3, 2, 5)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    mine, eager = (
        torch.autograd.grad(f(x)[0].square().sum(), list(layer.parameters()))
        for f in (compiled, layer)
    )
    torch.testing.assert_close(mine, eager, rtol=1e-12, atol=1e-13)
    torch.compiler.reset()


def test_it_is_not_torchs_in_disguise() -> None:
    y, _ = made(torchref.nn, "LSTM")(normal(seeded(0), 3, 2, 5))
    names, nodes = set(), [y.grad_fn]
    while nodes:
        node = nodes.pop()
        names.add(node.name())
        nodes += [parent for parent, _ in node.next_functions if parent is not None]
    assert {"LSTMBackward", "AffineBackward"} <= names
