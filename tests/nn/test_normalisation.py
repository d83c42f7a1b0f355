"""Layers that normalise: values and states as torch's, in all settings of the statistics."""

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

LAYERS: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "LayerNorm": (((5, 3),), (2, 6, 5, 3)),
    "RMSNorm": ((7,), (5, 7)),
    "GroupNorm": ((3, 6), (2, 6, 5)),
    "BatchNorm1d": ((6,), (5, 6)),
    "BatchNorm2d": ((6,), (2, 6, 5, 3)),
    "BatchNorm3d": ((6,), (2, 6, 5, 3, 1)),
    "InstanceNorm1d": ((6,), (6, 5)),
    "InstanceNorm2d": ((6,), (2, 6, 5, 3)),
    "InstanceNorm3d": ((6,), (6, 5, 3, 1)),
}
OF_A_BATCH = [name for name in LAYERS if name.startswith(("Batch", "Instance"))]
SETTINGS = (
    {},
    {"affine": True, "track_running_stats": True},
    {"affine": False, "track_running_stats": True, "momentum": 0.3},
    {"affine": False, "track_running_stats": False},
    {"track_running_stats": True, "momentum": None, "eps": 0.1},
)


def made(nn: ModuleType, name: str, **settings: Any) -> torch.nn.Module:
    """With weights and biases that are not the ones and zeros that it starts with."""
    layer = getattr(nn, name)(*LAYERS[name][0], **settings).double()
    for number, parameter in enumerate(layer.parameters()):
        torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=seeded(number))
    return layer


def trained_and_evaluated(layer: torch.nn.Module, shape: tuple[int, ...]) -> list[Tensor]:
    """Values, gradients and states of three steps of training and one evaluation."""
    seen = []
    for step in range(4):
        layer.train(step < 3)
        x = (2 + normal(seeded(step), *shape)).requires_grad_()
        y = layer(x)
        wrt = (x, *layer.parameters())
        seen += [y, *torch.autograd.grad(y, wrt, normal(seeded(10), *y.shape))]
        seen += [state.clone() for state in layer.state_dict().values()]
    return seen


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", OF_A_BATCH)
def test_training_and_evaluation_are_torchs(name: str, settings: dict[str, Any]) -> None:
    mine, its = (
        trained_and_evaluated(made(nn, name, **settings), LAYERS[name][1])
        for nn in (torchref.nn, torch.nn)
    )
    torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm", "GroupNorm"])
def test_layers_without_statistics_are_torchs(name: str) -> None:
    for affine in (True, False):
        setting = {"affine" if name == "GroupNorm" else "elementwise_affine": affine}
        mine, its = (
            trained_and_evaluated(made(nn, name, **setting), LAYERS[name][1])
            for nn in (torchref.nn, torch.nn)
        )
        torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
def test_states_load_both_ways(name: str) -> None:
    shape = LAYERS[name][1]
    for giver, taker in ((torch.nn, torchref.nn), (torchref.nn, torch.nn)):
        source, copied = made(giver, name), getattr(taker, name)(*LAYERS[name][0]).double()
        trained_and_evaluated(source, shape)
        assert str(copied.load_state_dict(source.state_dict())) == "<All keys matched successfully>"
        x = normal(seeded(0), *shape)
        torch.testing.assert_close(copied.eval()(x), source.eval()(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_keeps_its_own_statistics(name: str, copied) -> None:
    layer = made(torchref.nn, name)
    twin = copied(layer)
    assert type(twin) is type(layer)
    trained_and_evaluated(layer, LAYERS[name][1])
    trained_and_evaluated(twin, LAYERS[name][1])
    torch.testing.assert_close(twin.state_dict(), layer.state_dict(), rtol=0, atol=0)


def test_momentum_none_is_the_mean_of_all_batches() -> None:
    layer = torchref.nn.BatchNorm1d(3, momentum=None).double()
    batches = [normal(seeded(seed), 5, 3) for seed in range(4)]
    for batch in batches:
        layer(batch)
    assert layer.num_batches_tracked == 4
    torch.testing.assert_close(layer.running_mean, torch.stack(batches).mean((0, 1)))
    variances = torch.stack([batch.var(0) for batch in batches])  # with n - 1
    torch.testing.assert_close(layer.running_var, variances.mean(0))


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"])
def test_an_input_of_another_rank_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        made(torchref.nn, name)(normal(seeded(0), 6))


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_step_of_training_compiles_in_one_graph(momentum: float | None) -> None:
    """torch's own breaks the graph where momentum is None."""
    layer, eager = (made(torchref.nn, "BatchNorm1d", momentum=momentum) for _ in range(2))
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = normal(seeded(0), 5, 6).requires_grad_()
    for _ in range(2):
        mine, its = (torch.autograd.grad(f(x).square().sum(), x) for f in (compiled, eager))
        torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(layer.state_dict(), eager.state_dict(), rtol=1e-14, atol=1e-14)
    torch.compiler.reset()
