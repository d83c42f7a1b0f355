"""What cannot be explained is refused in one message that says what is missing."""

import pytest
import torch

from tests.explainer.chain.chains import chain_of
from torchref import InputError, explain, nn


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parameter": "linear3.weight"}, "must be one of linear1.weight, linear1.bias"),
        ({"entry": (2, 0)}, "an entry of linear1.weight must lie in 0, 0 … 1, 1"),
        ({"entry": (-1, 0)}, "an entry of linear1.weight must lie in 0, 0 … 1, 1"),
        ({"entry": (0,)}, "has shape"),
        ({"entry": (0.5, 0)}, "an entry of linear1.weight must lie in 0, 0 … 1, 1"),
        ({"entry": 1}, r"\(1,\) arrived. linear1.weight has shape"),
        ({"example": 1}, "example must lie in 0 … 0"),
        ({"example": 0.5}, "example must lie in 0 … 0, but 0.5 arrived"),
        ({"most_paths": -1}, "most_paths must be a whole number, 0 or more"),
    ],
)
def test_what_is_not_there_is_said(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        chain_of((2, 2, 1), **options)


@pytest.mark.parametrize(
    ("x", "target", "said"),
    [
        ([1.0, 2.0], torch.ones(1), "explain: x must be a tensor, but a list arrived"),
        (torch.ones(2), None, "explain: target must be a tensor, but it is None"),
        (torch.ones(0, 2), torch.ones(0, 1), r"one example a row, but it has shape \(0, 2\)"),
        (torch.ones(3, 2, 1), torch.ones(3, 1), "Examples of more dimensions are flattened"),
    ],
)
def test_inputs_that_are_no_examples_are_said(x: object, target: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        explain(nn.SigmoidNetwork((2, 1)), nn.BCELoss(), x, target)


@pytest.mark.parametrize("x", [torch.ones(2), torch.ones(3, 2)], ids=["one", "batch"])
def test_class_numbers_are_said_as_they_arrived(x: torch.Tensor) -> None:
    numbers = torch.tensor([0, 1, 2]) if x.dim() == 2 else torch.tensor(2)
    with pytest.raises(InputError, match=r"probability for each class.* of torch.int64. one_hot"):
        explain(nn.Linear(2, 3), nn.CrossEntropyLoss(), x, numbers)


SHARED = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Sequential(nn.Sigmoid()), "must begin with a linear layer"),
        (nn.Sequential(), "must begin with a linear layer"),
        (nn.Sequential(torch.nn.Linear(2, 2), torch.nn.GELU()), "must be Linear, .* 1 is a GELU"),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), "1 is a Dropout"),
        (torch.nn.Bilinear(2, 2, 2), "the network is a Bilinear"),
        (torch.nn.MultiheadAttention(8, 2), "be a Sequential of layers.* a forward of its own"),
        (nn.Sigmoid, "the network must be a module, but the class Sigmoid arrived"),
        (torch.sigmoid, "the network must be a module, but sigmoid arrived. torch.nn.Sequential"),
        (nn.Sequential(SHARED, nn.Sigmoid(), SHARED), "use each layer once"),
        (nn.Sequential(nn.Linear(2, 2), nn.Unflatten(1, (2, 1)), nn.Linear(1, 2)), "2 gives the"),
        (nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (2, 2)), nn.Flatten(0, 0)), "2 gives the"),
    ],
)
def test_what_is_no_chain_is_said(network: nn.Module, said: str) -> None:
    target = torch.rand(1, 2, 2) if "gives" in said else torch.rand(2)
    with pytest.raises(InputError, match=said):
        explain(network, nn.MSELoss(), torch.rand(2), target)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (torch.nn.functional.mse_loss, r"MSELoss\(\) for mse_loss"),
        (torch.nn.L1Loss(), "must be one of BCELoss, .* but a L1Loss arrived"),
        (torch.nn.MSELoss(reduction="none"), "one value"),
    ],
)
def test_a_loss_that_is_not_known_is_said(loss: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        explain(nn.Linear(2, 2), loss, torch.rand(2), torch.rand(2))


@pytest.mark.parametrize(
    "loss", [torch.nn.MSELoss(), torch.nn.BCEWithLogitsLoss(), torch.nn.CrossEntropyLoss()]
)
def test_a_model_of_torchs_layers_is_explained_and_stays_torchs(loss: torch.nn.Module) -> None:
    torch.manual_seed(0)
    layers = (torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    model = torch.nn.Sequential(torch.nn.Sequential(*layers[:2]), torch.nn.Flatten(), layers[2])
    x, target = torch.rand(5, 3), torch.rand(5, 2).softmax(dim=1)
    found = explain(model, loss, x, target, "0.0.weight", (2, 1), example=3)
    value = loss(model(x), target)
    (gradient,) = torch.autograd.grad(value, layers[0].weight)
    assert found.evidence.product == pytest.approx(gradient[2, 1].item(), rel=1e-4)
    assert found.verdict == "right"
    assert [type(layer) for layer in layers] == [torch.nn.Linear, torch.nn.Tanh, torch.nn.Linear]
    assert layers[0].weight.dtype == torch.float32
