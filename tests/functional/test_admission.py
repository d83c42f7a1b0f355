"""What is refused: each message says what must hold, what arrived and the likely fix."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, ones, zeros

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from torchref.errors import InputError

LOSSES = (R.binary_cross_entropy, R.binary_cross_entropy_with_logits, R.mse_loss, R.squared_error)

REFUSED = {
    "input and weight disagree": (
        lambda: R.linear(ones(5, 3), ones(3, 4)),
        ("linear: input (..., in) and weight (out, in)", "(5, 3)", "(3, 4)", "weight.T"),
    ),
    "an input without dimensions": (
        lambda: R.linear(ones(()), ones(3, 4)),
        ("linear: input (..., in)", "input has shape ()", "weight.T"),
    ),
    "a weight of three dimensions": (
        lambda: R.linear(ones(5, 4), ones(2, 3, 4)),
        ("linear:", "weight (2, 3, 4)", "(out, in)"),
    ),
    "a bias as long as the inputs": (
        lambda: R.linear(ones(5, 4), ones(3, 4), ones(4)),
        ("linear: bias must have shape (3,)", "it has shape (4,)", "first dimension of weight"),
    ),
    "a weight without a column for the bias": (
        lambda: R.homogeneous_linear(ones(5, 4), ones(3, 4)),
        ("homogeneous_linear:", "(out, in + 1)", "(5, 4)", "(3, 4)", "column_stack"),
    ),
    "a homogeneous weight of one row": (
        lambda: R.homogeneous_linear(ones(5, 3), ones(4)),
        ("homogeneous_linear:", "(out, in + 1)", "weight (4,)"),
    ),
    "a homogeneous weight of integers": (
        lambda: R.homogeneous_linear(ones(5, 3), ones(4, 4).long()),
        ("homogeneous_linear: weight must be a real floating-point", "it is torch.int64"),
    ),
    "dtypes that differ": (
        lambda: R.linear(ones(5, 4), ones(3, 4).double()),
        ("linear: input and weight must have the same dtype", "torch.float64", ".to(input.dtype)"),
    ),
    "a list": (
        lambda: R.sigmoid([0.5, 1.0]),
        ("sigmoid: input must be a tensor", "a list arrived", "torch.as_tensor"),
    ),
    "a number as target": (
        lambda: R.mse_loss(ones(3), 0.5),
        ("mse_loss: target must be a tensor", "a float arrived", "torch.as_tensor"),
    ),
    "a number as weight of mse_loss": (
        lambda: R.mse_loss(ones(3), ones(3), weight=0.5),
        ("mse_loss: weight must be a tensor", "a float arrived", "torch.as_tensor"),
    ),
    "nothing": (
        lambda: R.sigmoid(None),
        ("sigmoid: input must be a tensor", "it is None", "no default"),
    ),
    "no weight": (
        lambda: R.linear(ones(5, 4), None),
        ("linear: weight must be a tensor", "it is None"),
    ),
    "no target": (
        lambda: R.binary_cross_entropy(ones(3), None),
        ("binary_cross_entropy: target must be a tensor", "it is None"),
    ),
    "integers": (
        lambda: R.sigmoid(torch.arange(3)),
        ("sigmoid: input must be a real floating-point", "it is torch.int64", "input.to("),
    ),
    "booleans as target": (
        lambda: R.binary_cross_entropy(ones(3), ones(3).bool()),
        ("binary_cross_entropy: target must be a real", "it is torch.bool", "target.to("),
    ),
    "integers as weight": (
        lambda: R.binary_cross_entropy_with_logits(ones(3), ones(3), torch.arange(3)),
        ("binary_cross_entropy_with_logits: weight must be a real", "torch.int64", "weight.to("),
    ),
    "complex numbers": (
        lambda: R.linear(ones(5, 4) * 1j, ones(3, 4)),
        ("linear: input must be a real", "it is torch.complex64", "real and imaginary part"),
    ),
    "complex numbers in mse_loss": (
        lambda: R.mse_loss(ones(3) * 1j, ones(3)),
        ("mse_loss: input must be a real", "it is torch.complex64", "real and imaginary part"),
    ),
    "a weight longer than the input": (
        lambda: R.binary_cross_entropy(ones(5, 3), ones(5, 3), ones(5)),
        ("weight must be broadcastable to input", "(5,)", "(5, 3)", "last dimensions"),
    ),
    "a weight of more dimensions": (
        lambda: R.squared_error(ones(3), ones(3), "sum", ones(2, 3)),
        ("squared_error: weight must be broadcastable", "(2, 3)", "last dimensions"),
    ),
    "a pos_weight for another number of classes": (
        lambda: R.binary_cross_entropy_with_logits(ones(5, 3), ones(5, 3), pos_weight=ones(4)),
        ("pos_weight must be broadcastable to input", "(4,)", "(5, 3)"),
    ),
    "mse_loss with a weight that would broadcast": (
        lambda: R.mse_loss(ones(5, 3), ones(5, 3), weight=ones(3)),
        ("mse_loss: weight and input must have the same shape", "(3,)", "expand_as(input)"),
    ),
    "a probability that is a logit": (
        lambda: R.binary_cross_entropy(torch.tensor([-2.5, 0.5]), ones(2)),
        ("all entries of input must lie in [0, 1]", "from -2.5 to 0.5", "with_logits"),
    ),
    "a probability that is not a number": (
        lambda: R.binary_cross_entropy(torch.tensor([torch.nan, 0.5]), ones(2)),
        ("all entries of input must lie in [0, 1]", "nan"),
    ),
    "labels of −1 and 1 for probabilities": (
        lambda: R.binary_cross_entropy(ones(2), torch.tensor([-1.0, 1.0])),
        ("all entries of target must lie in [0, 1]", "from -1 to 1", "labels are 0 and 1"),
    ),
    "labels of 1 and 2 for logits": (
        lambda: R.binary_cross_entropy_with_logits(ones(2), torch.tensor([1.0, 2.0])),
        ("all entries of target must lie in [0, 1]", "from 1 to 2", "labels are 0 and 1"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_column_against_a_row_is_refused(loss: Callable[..., Tensor]) -> None:
    words = loss.__name__, "same shape", "(5, 1)", "(5,)", "target.reshape(input.shape)"
    assert_refused(lambda: loss(ones(5, 1), ones(5)), words)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("misspelt", ["Mean", "avg", "", None, "halfmean"])
def test_a_misspelt_reduction_is_refused_with_the_list(
    loss: Callable[..., Tensor], misspelt: object
) -> None:
    lectures = "Lecture 003" if loss is R.squared_error else "torchref's squared_error"
    words = loss.__name__, "must be one of none, sum, mean", repr(misspelt), lectures
    assert_refused(lambda: loss(ones(3), ones(3), reduction=misspelt), words)


@pytest.mark.parametrize("deprecated", [{"size_average": False}, {"reduce": True}], ids=str)
@pytest.mark.parametrize("loss", LOSSES[:3], ids=lambda loss: loss.__name__)
def test_what_torch_deprecated_is_refused(loss: Callable[..., Tensor], deprecated: dict) -> None:
    with pytest.raises(InputError, match=r"size_average and reduce .* Say reduction="):
        loss(ones(3), ones(3), **deprecated)


@pytest.mark.parametrize("expected", [ValueError, RuntimeError])
def test_code_written_for_torchs_exceptions_catches_it(expected: type[Exception]) -> None:
    with pytest.raises(expected):
        R.linear(ones(5, 3), ones(3, 4))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_ends_of_the_interval_and_an_empty_batch_are_let_in(
    loss: Callable[..., Tensor],
) -> None:
    assert loss(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])).isfinite()
    assert loss(zeros(0, 3), zeros(0, 3), reduction="sum") == 0


def test_only_probabilities_and_targets_are_held_to_the_interval() -> None:
    far = torch.tensor([-50.0, 50.0])
    assert R.binary_cross_entropy_with_logits(far, zeros(2)).isfinite()
    assert R.mse_loss(far, -far) == 10_000


@pytest.mark.parametrize("device", ["meta", pytest.param("cuda:0", marks=pytest.mark.cuda)])
@pytest.mark.parametrize(
    "call",
    [
        lambda x: R.linear(x, ones(3, 4)),
        lambda x: R.linear(x, ones(3, 4).to(x.device), ones(3)),
        lambda x: R.homogeneous_linear(x, ones(3, 5)),
        lambda x: R.mse_loss(x, ones(5, 4)),
        lambda x: R.binary_cross_entropy(x, ones(5, 4)),
        lambda x: R.binary_cross_entropy_with_logits(x, x, pos_weight=ones(4)),
    ],
)
def test_tensors_on_two_devices_are_refused(call: Callable[[Tensor], Tensor], device: str) -> None:
    with pytest.raises(InputError, match=rf"same device, but they have {device} and cpu\. Convert"):
        call(ones(5, 4).to(device))
