"""A model moves over by its import alone: signatures, states, outputs, gradients, copies."""

import copy
import inspect
import io
import pickle
from types import ModuleType

import pytest
import torch
from torch import Tensor

import torchref.nn
from tests.random_inputs import seeded
from torchref.catalogue import entry
from torchref.errors import InputError

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
CONVOLUTIONS = tuple(f"{name}{rank}d" for name in ("Conv", "ConvTranspose") for rank in (1, 2, 3))
POOLS = tuple(
    f"{name}Pool{rank}d"
    for name in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg")
    for rank in (1, 2, 3)
)
SAME_NAME = (
    "Linear",
    "Bilinear",
    "MultiheadAttention",
    "Sigmoid",
    "Tanh",
    "Softplus",
    "LogSigmoid",
    "SiLU",
    "Mish",
    "GELU",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "GLU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "MSELoss",
    "L1Loss",
    "SmoothL1Loss",
    "HuberLoss",
    "KLDivLoss",
    "NLLLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiMarginLoss",
    "CosineEmbeddingLoss",
    "LinearCrossEntropyLoss",
    "Softmax",
    "Softmax2d",
    "LogSoftmax",
    "LayerNorm",
    "RMSNorm",
    "GroupNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "Embedding",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    *CONVOLUTIONS,
    *POOLS,
    "RNN",
    "LSTM",
    "GRU",
    "RNNCell",
    "LSTMCell",
    "GRUCell",
)

RECURRENT = ("RNN", "LSTM", "GRU")

A_USERS_MODEL = """
import torch.nn as nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Sigmoid())
        self.head = nn.Linear(5, 3, bias=False)
        nn.init.xavier_uniform_(self.head.weight)

    def forward(self, x):
        return self.head(self.features(x))


def losses(y, target, weight):
    yield nn.BCEWithLogitsLoss()(y, target)
    yield nn.BCEWithLogitsLoss(weight, reduction="sum", pos_weight=2 * weight)(y, target)
    yield nn.BCELoss(weight)(nn.functional.sigmoid(y), target)
    yield nn.MSELoss(reduction="none")(y, target).sum()
    yield nn.CrossEntropyLoss(weight, reduction="sum")(y, target)
    classes = target.argsort(0)[:, 0] % 3
    yield nn.CrossEntropyLoss(weight, ignore_index=2, label_smoothing=0.3)(y, classes)
"""


def imported(source: str) -> dict:
    namespace: dict = {}
    exec(source, namespace)
    return namespace


def normal(*shape: int) -> Tensor:
    return entry.normal(seeded(0), *shape)


@pytest.mark.parametrize("device", DEVICES)
def test_a_model_moves_over_by_changing_only_the_import(device: str) -> None:
    results = []
    for package in ("torch.nn", "torchref.nn"):
        user = imported(A_USERS_MODEL.replace("import torch.nn", f"import {package}"))
        torch.manual_seed(0)
        model = user["Model"]().double().to(device)
        x = normal(6, 3, 4).to(device).requires_grad_()
        target = torch.linspace(0, 1, 18, dtype=torch.float64, device=device).reshape(6, 3)
        weight = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64, device=device)
        y = model(x)
        for loss in user["losses"](y, target, weight):
            grads = torch.autograd.grad(loss, (x, *model.parameters()), retain_graph=True)
            results.append((package, y, loss, *grads))
    torchs, mine = results[: len(results) // 2], results[len(results) // 2 :]
    for (_, *its), (_, *ours) in zip(torchs, mine, strict=True):
        torch.testing.assert_close(ours, its, rtol=1e-12, atol=1e-14)
    assert "Affine" in mine[0][1].grad_fn.name()  # and not torch's in disguise


@pytest.mark.parametrize("name", SAME_NAME)
def test_the_signatures_are_torchs(name: str) -> None:
    mine, its = getattr(torchref.nn, name), getattr(torch.nn, name)
    assert inspect.signature(mine) == inspect.signature(its)
    assert list(inspect.signature(mine.forward).parameters) == list(
        inspect.signature(its.forward).parameters
    )


@pytest.mark.parametrize("name", SAME_NAME)
def test_a_module_prints_as_torchs(name: str) -> None:
    arguments: tuple[int, ...] = ()
    if (
        name in ("Linear", "LinearCrossEntropyLoss", "GroupNorm", "Embedding")
        or name.removesuffix("Cell") in RECURRENT
    ):
        arguments = (2, 6)
    elif name == "MultiheadAttention":
        arguments = (6, 2)
    elif name in ("Bilinear", *CONVOLUTIONS):
        arguments = (2, 6, 3)
    elif name in POOLS:
        arguments = (2,)
    elif "Norm" in name:
        arguments = (6,)
    assert repr(getattr(torchref.nn, name)(*arguments)) == repr(getattr(torch.nn, name)(*arguments))


def stack(nn: ModuleType) -> torch.nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2, bias=False))


@pytest.mark.parametrize(
    ("giver", "taker"), [(torch.nn, torchref.nn), (torchref.nn, torch.nn)], ids=["in", "out"]
)
def test_state_dicts_load_both_ways(giver: ModuleType, taker: ModuleType) -> None:
    source, copied = stack(giver), stack(taker)
    file = io.BytesIO()
    torch.save(source.state_dict(), file)
    file.seek(0)
    assert str(copied.load_state_dict(torch.load(file))) == "<All keys matched successfully>"
    x = torch.ones(5, 4)
    torch.testing.assert_close(copied(x), source(x), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("loss", ["BCELoss", "BCEWithLogitsLoss"])
def test_the_states_of_losses_load_both_ways(loss: str) -> None:
    weight = torch.tensor([1.0, 2.0])
    mine, its = getattr(torchref.nn, loss)(weight), getattr(torch.nn, loss)(weight)
    mine.load_state_dict(its.state_dict())
    its.load_state_dict(mine.state_dict())
    assert list(mine.state_dict()) == list(its.state_dict())


def test_the_same_seed_starts_the_same_layer() -> None:
    torch.manual_seed(0)
    mine = torchref.nn.Linear(4, 3)
    torch.manual_seed(0)
    torch.testing.assert_close(mine.state_dict(), torch.nn.Linear(4, 3).state_dict())


def test_what_is_not_handwritten_is_refused_by_name() -> None:
    with pytest.raises(AttributeError) as refused:
        torchref.nn.CELU  # noqa: B018  # reading the name is what raises
    for words in ("'torchref.nn'", "'CELU'", "not handwritten yet", "torch.nn.CELU works beside"):
        assert words in str(refused.value)


def test_an_op_without_a_layer_is_named() -> None:
    with pytest.raises(AttributeError, match=r"the op alone, torchref\.ops\.LogSumExp\.call"):
        torchref.nn.LogSumExp  # noqa: B018  # reading the name is what raises


def test_what_torch_does_not_have_either_gets_no_such_hope() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Relu'$"):
        torchref.nn.Relu  # noqa: B018  # reading the name is what raises


def test_what_computes_is_handwritten() -> None:
    """Of torch's own modules only those are handed on that hold others or move numbers about."""
    torchs_own = {
        name
        for name in torchref.nn.__all__
        if isinstance(getattr(torchref.nn, name), type)
        and getattr(torchref.nn, name).__module__.startswith("torch.")
    }
    hold = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"}
    hold |= {"TransformerDecoder", "TransformerEncoder"}  # the layers that they are given
    assert torchs_own == hold | {"Parameter", "Buffer", "Flatten", "Identity", "Unflatten"}


def test_squared_error_and_homogeneous_linear_as_modules() -> None:
    x, target = normal(5, 3), torch.zeros(5, 3, dtype=torch.float64)
    assert torchref.nn.SquaredError("half_sum")(x, target) == (x**2).sum() / 2
    layer = torchref.nn.HomogeneousLinear(3, 2).double()
    beside = x @ layer.weight[:, :-1].T + layer.weight[:, -1]
    torch.testing.assert_close(layer(x), beside, rtol=1e-14, atol=1e-14)
    assert isinstance(layer.weight, torch.nn.Parameter)
    assert layer.weight.is_leaf
    assert "in_features=3, out_features=2" in repr(layer)


def test_squared_error_refuses_a_reduction_when_it_is_made() -> None:
    with pytest.raises(InputError, match="SquaredError: reduction must be one of none, sum, mean"):
        torchref.nn.SquaredError("halfsum")


def test_homogeneous_linear_starts_as_linear_with_the_bias_last() -> None:
    torch.manual_seed(0)
    beside = torchref.nn.Linear(3, 2)
    torch.manual_seed(0)
    inside = torchref.nn.HomogeneousLinear(3, 2)
    assert torch.equal(inside.weight, torch.column_stack((beside.weight, beside.bias)))


def test_relu_in_place_writes_into_its_input() -> None:
    x = normal(5)
    assert torchref.nn.ReLU(inplace=True)(x) is x
    assert (x >= 0).all()


MODULES = {
    "Linear": lambda: torchref.nn.Linear(4, 3),
    "HomogeneousLinear": lambda: torchref.nn.HomogeneousLinear(4, 3),
    "Sigmoid": lambda: torchref.nn.Sigmoid(),
    "SigmoidNetwork": lambda: torchref.nn.SigmoidNetwork((4, 3, 2)),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copied_module_computes_the_same_and_shares_nothing(name: str, copied) -> None:
    module = MODULES[name]()
    x = torch.ones(5, 4, requires_grad=True)
    module(x).sum().backward()
    twin = copied(module)
    assert type(twin) is type(module)
    assert torch.equal(twin(x), module(x))
    for mine, its in zip(module.parameters(), twin.parameters(), strict=True):
        assert mine.data_ptr() != its.data_ptr()
        assert torch.equal(mine, its)


@pytest.mark.parametrize("name", ["BCELoss", "BCEWithLogitsLoss", "MSELoss", "SquaredError"])
def test_losses_are_copied_with_their_settings(name: str) -> None:
    loss = getattr(torchref.nn, name)(reduction="sum")
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert twin.reduction == "sum"
        assert twin(torch.ones(3), torch.ones(3)) == loss(torch.ones(3), torch.ones(3))
