"""A model is moved over to handwritten gradients, and back, with nothing else changed."""

import copy
import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import torchref.nn
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.nn import by_torch, handwritten


class Block(nn.Module):
    """A user's own: a function in an attribute, another in its forward."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(5, 7), nn.Linear(7, 5)
        self.norm = nn.LayerNorm(5)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return F.softsign(x + self.outer(self.activation(self.inner(self.norm(x)))))


def mlp() -> nn.Module:
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(12, 5), nn.BatchNorm1d(5), nn.ReLU(inplace=True)),
        *(Block(F.gelu), Block(torch.tanh)),
        nn.Sequential(nn.Linear(5, 6), nn.SiLU(), nn.GLU(), nn.PReLU(3)),
    ).double()


def outputs_and_gradients(model: nn.Module, x: Tensor) -> list[Tensor]:
    leaf = x.clone().requires_grad_()
    y = model(leaf)
    wanted = [leaf, *model.parameters()]
    gradients = torch.autograd.grad(y, wanted, normal(seeded(1), *y.shape), allow_unused=True)
    return [y.detach(), *(g for g in gradients if g is not None), *model.buffers()]


def assert_same_results(model: nn.Module, other: nn.Module, x: Tensor) -> None:
    mine, its = outputs_and_gradients(model, x), outputs_and_gradients(other, x)
    for one, two in zip(mine, its, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_running_statistics_stay(training: bool) -> None:
    torch.manual_seed(0)
    model = mlp().train(training)
    other = copy.deepcopy(model)
    exchange = handwritten(model)
    assert len(exchange.moved) == 15
    assert_same_results(model, other, normal(seeded(0), 4, 3, 4))
    assert model.training == training


def test_every_layer_is_by_hand_afterwards_and_torchs_when_it_is_back() -> None:
    model = mlp()
    kinds = [type(module) for module in model.modules()]
    moved = handwritten(model).moved
    for name, module in model.named_modules():
        of = type(module).__module__.partition(".")[0]
        assert (of == "torchref") == (name in moved), name
    assert model[4].activation is torchref.functional.gelu
    assert model[5].activation is torchref.functional.tanh
    back = by_torch(model)
    assert len(back.moved) == len(moved)
    assert not back.left
    assert [type(module) for module in model.modules()] == kinds
    assert model[4].activation is F.gelu


def test_an_optimizer_goes_on_with_the_parameters() -> None:
    torch.manual_seed(0)
    model = mlp()
    before = dict(model.named_parameters()), list(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    handwritten(model)
    assert all(before[0][name] is parameter for name, parameter in model.named_parameters())
    assert list(model.state_dict()) == before[1]
    weight = model[1].weight.detach().clone()
    model(normal(seeded(0), 4, 3, 4)).sum().backward()
    optimizer.step()
    assert not torch.equal(model[1].weight, weight)


def test_hooks_stay() -> None:
    model, seen = nn.Sequential(nn.Linear(3, 2)), []
    model[0].register_forward_hook(lambda *_: seen.append("hook"))
    handwritten(model)
    model(torch.ones(1, 3))
    assert seen == ["hook"]


TRANSFORMERS = {
    "encoder layer": lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True),
    "encoder": lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, activation="gelu", batch_first=True), 2
    ),
    "norm first": lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, norm_first=True),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_a_transformer_of_torchs_moves_over(kind: str, training: bool) -> None:
    torch.manual_seed(0)
    model = TRANSFORMERS[kind]().double().train(training)
    other = copy.deepcopy(model)
    exchange = handwritten(model)
    assert not exchange.left
    x = normal(seeded(0), 3, 5, 8)
    assert_same_results(model, other, x)
    with torch.no_grad():  # where torch has a fused kernel
        torch.testing.assert_close(model(x), other(x), rtol=1e-12, atol=1e-12)
    assert not by_torch(model).left
    assert [type(each) for each in model.modules()] == [type(each) for each in other.modules()]


def test_a_convolutional_network_moves_over() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        *(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, groups=2, padding_mode="zeros"), nn.GELU()),
        *(nn.AdaptiveAvgPool2d((2, 1)), nn.ConvTranspose2d(6, 3, 2), nn.Flatten(), nn.Dropout(0.0)),
        nn.Linear(18, 5),
    ).double()
    other = copy.deepcopy(model)
    assert len(handwritten(model).moved) == 10
    assert_same_results(model, other, normal(seeded(0), 3, 2, 9, 7))


def test_a_whole_transformer_moves_over() -> None:
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 2, 1, 12, dropout=0.0, batch_first=True).double()
    other = copy.deepcopy(model)
    assert not handwritten(model).left
    source, target = normal(seeded(0), 3, 5, 8), normal(seeded(1), 3, 4, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    mine, its = (each(source, target, tgt_mask=mask, tgt_is_causal=True) for each in (model, other))
    torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-12)


def test_no_kernel_of_torchs_takes_the_place_of_the_layers_in_evaluation() -> None:
    layer = handwritten_encoder_layer().eval()
    seen: list[type] = []
    for part in layer.modules():
        part.register_forward_hook(lambda part, *_: seen.append(type(part)))
    with torch.no_grad():
        layer(torch.zeros(2, 3, 8))
    assert torchref.nn.MultiheadAttention in seen
    assert layer.activation is torchref.functional.relu
    assert all(type(part) is not nn.Linear for part in layer.modules())


def handwritten_encoder_layer() -> nn.Module:
    return torchref.nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)


class Doubled(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return 2 * super().forward(input)


def test_what_is_left_is_told_with_the_reason() -> None:
    model = nn.Sequential(nn.Linear(3, 3), Doubled(3, 3), nn.Hardshrink(), Block(F.softsign))
    nn.utils.parametrizations.weight_norm(model[0])
    exchange = handwritten(model)
    assert type(model[1]) is Doubled
    weight = "0.parametrizations.weight"
    assert set(exchange.left) == {"0", weight, f"{weight}.0", "1", "2", "3"}
    told = str(exchange)
    assert "left: 1: Doubled is a Linear of another class, and may compute more" in told
    assert "left: 2: Hardshrink is not handwritten yet" in told
    assert "left: 3: functions that the forward of Block calls stay torch's" in told
    assert "moved: 1 LayerNorm, 2 Linear" in told


def test_a_layer_alone_and_one_that_is_used_twice() -> None:
    layer = nn.Linear(3, 3)
    assert handwritten(layer).moved == {"": "Linear"}
    assert type(layer) is torchref.nn.Linear
    shared = nn.Linear(3, 3)
    exchange = handwritten(nn.Sequential(shared, nn.ReLU(), shared))
    assert sorted(exchange.moved.values()) == ["Linear", "ReLU"]


def test_a_model_by_hand_already_is_left_without_a_word() -> None:
    layers = torchref.nn
    model = layers.Sequential(layers.Linear(3, 2), layers.SwiGLU(), layers.SquaredError())
    assert str(handwritten(model)) == "moved: nothing"
    told = "moved: 1 Linear, 1 SwiGLU\nleft: 2: torch has no SquaredError"
    assert str(by_torch(model)) == told


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (torchref.nn.HomogeneousLinear(4, 3), (5, 4)),
        (torchref.nn.SwiGLU(0), (4, 3)),
        (torchref.nn.GEGLU(), (3, 6)),
    ],
    ids=str,
)
def test_what_torch_has_no_layer_for_is_composed_and_comes_back(
    layer: nn.Module, x: tuple[int, ...]
) -> None:
    kind, layer = type(layer), layer.double()
    other = copy.deepcopy(layer)
    by_torch(other)
    given = normal(seeded(0), *x)
    assert_same_results(layer, other, given.detach())
    assert type(other) is not kind
    handwritten(other)
    assert type(other) is kind


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize("positions", [None, torch.tensor([4, 0, 2, 1, 1])])
def test_a_rotation_is_composed(interleaved: bool, positions: Tensor | None) -> None:
    tables = torchref.functional.rotary_tables(6, 4, dtype=torch.float64)
    x = normal(seeded(0), 3, 2, 5, 7)
    mine, its = (
        library.rotary_embedding(x, *tables, positions, interleaved)
        for library in (torchref.functional, torchref.nn.composed)
    )
    torch.testing.assert_close(mine, its, rtol=1e-14, atol=1e-14)


def test_a_function_in_an_attribute_comes_back_as_a_function() -> None:
    assert all(map(inspect.isroutine, torchref.nn.exchange.FUNCTIONS))
    layer = nn.Linear(3, 2)
    layer.project = torchref.functional.linear
    assert by_torch(layer).moved == {"project": "linear"}
    assert layer.project is F.linear


def test_many_names_are_cut() -> None:
    model = nn.Sequential(*(nn.Softshrink() for _ in range(5)))
    assert "left: 0, 1, 2 and 2 more: Softshrink is not" in str(handwritten(model))


def test_what_cannot_be_hashed_is_no_function_of_torchs() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]  # so Python marks what has no hash

        def __call__(self) -> None: ...

    model = nn.Linear(3, 2)
    model.schedule = Unhashable()
    assert handwritten(model).moved == {"": "Linear"}
