"""The normalisations beside torch's: values, gradients, running statistics, dtypes, refusals."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones, zeros

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import (
    ROUNDINGS,
    assert_error_at_most_twice_torchs,
    assert_same,
    chance,
    normal,
    value_and_gradients,
)

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")


def of_running(name: str, *arguments: Any) -> Callable[..., Callable[..., Tensor]]:
    """The call in evaluation, the running statistics held: torch gives no gradients for them."""

    def of(package: Any) -> Callable[..., Tensor]:
        def called(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
            mean, variance = (m.to(x.device, x.dtype) for m in (normal(7, 6), chance(8, 6)))
            return getattr(package, name)(x, mean, variance, weight, bias, False, *arguments)

        return called

    return of


def plainly(name: str) -> Callable[..., Callable[..., Tensor]]:
    return lambda package: getattr(package, name)


W6, B6 = normal(1, 6), normal(2, 6)
CASES: dict[str, tuple[Callable[..., Callable[..., Tensor]], tuple[Any, ...]]] = {
    "layer_norm": (plainly("layer_norm"), (normal(0, 5, 7), (7,), normal(1, 7), normal(2, 7))),
    "layer_norm of one row": (plainly("layer_norm"), (normal(0, 7), (7,))),
    "layer_norm of two dimensions": (
        plainly("layer_norm"),
        (normal(0, 2, 5, 4, 3), [4, 3], normal(1, 4, 3), None, 0.1),
    ),
    "layer_norm without weight": (
        plainly("layer_norm"),
        (normal(0, 5, 7), torch.Size((7,)), None, normal(2, 7)),
    ),
    "layer_norm of an empty batch": (plainly("layer_norm"), (normal(0, 0, 7), (7,), normal(1, 7))),
    "layer_norm of equal entries": (
        plainly("layer_norm"),
        (ones(5, 7).double(), (7,), normal(1, 7), normal(2, 7)),
    ),
    "rms_norm": (plainly("rms_norm"), (normal(0, 5, 7), (7,), normal(1, 7), 1e-6)),
    "rms_norm with eps of its own": (plainly("rms_norm"), (1e-8 * normal(0, 5, 7), (7,))),
    "rms_norm of zeros": (plainly("rms_norm"), (zeros(5, 7).double(), (7,), normal(1, 7))),
    "rms_norm of two dimensions": (
        plainly("rms_norm"),
        (normal(0, 2, 5, 4), (5, 4), normal(1, 5, 4)),
    ),
    "group_norm": (plainly("group_norm"), (normal(0, 2, 6, 5, 3), 3, W6, B6)),
    "group_norm of one group": (plainly("group_norm"), (normal(0, 5, 6), 1, W6, None, 0.1)),
    "group_norm of each channel": (plainly("group_norm"), (normal(0, 2, 6, 5), 6)),
    "group_norm of single values": (plainly("group_norm"), (normal(0, 2, 6), 6, W6, B6)),
    "group_norm of an empty batch": (plainly("group_norm"), (normal(0, 0, 6, 5), 2, W6, B6)),
    "batch_norm": (plainly("batch_norm"), (normal(0, 5, 6), None, None, W6, B6, True)),
    "batch_norm of pictures": (
        plainly("batch_norm"),
        (3 + normal(0, 2, 6, 5, 3), None, None, W6, None, True, 0.1, 0.1),
    ),
    "batch_norm of an empty batch": (
        plainly("batch_norm"),
        (normal(0, 0, 6), None, None, W6, B6, True),
    ),
    "batch_norm in evaluation": (of_running("batch_norm"), (normal(0, 5, 6), W6, B6)),
    "batch_norm of one in evaluation": (of_running("batch_norm"), (normal(0, 1, 6), W6, None)),
    "instance_norm": (plainly("instance_norm"), (normal(0, 5, 6, 3), None, None, W6, B6)),
    "instance_norm of volumes": (plainly("instance_norm"), (normal(0, 5, 6, 3, 1, 2),)),
    "instance_norm in evaluation": (of_running("instance_norm"), (normal(0, 5, 6, 3), W6, B6)),
    "normalize": (plainly("normalize"), (normal(0, 5, 7),)),
    "normalize of zeros": (plainly("normalize"), (zeros(5, 7).double(),)),
    "normalize of a tuple": (plainly("normalize"), (normal(0, 5, 7), 3.0, (0, 1))),
    "normalize by sums": (plainly("normalize"), (normal(0, 5, 4, 7), 1, -1, 3.0)),
    "normalize by the largest": (plainly("normalize"), (normal(0, 5, 7), float("inf"), 0)),
    "normalize one number": (plainly("normalize"), (normal(0), 2.0, 0)),
}
EACH = pytest.mark.parametrize("name", CASES)
DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))


def both(name: str, change: Callable[[Tensor], Tensor] = lambda x: x) -> tuple[Any, Any]:
    of, arguments = CASES[name]
    changed = [change(x) if isinstance(x, Tensor) else x for x in arguments]
    mine, torchs = (value_and_gradients(of(package), *changed) for package in (R, F))
    return mine, torchs


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_are_torchs(name: str, device: str) -> None:
    mine, torchs = both(name, lambda x: x.to(device))
    if name == "normalize one number":  # torch's gradient is the rounding of 0
        torchs = (torchs[0], 0 * torchs[1])
    assert_same(mine, torchs)


@pytest.mark.parametrize("dtype", ROUNDINGS, ids=str)
@EACH
def test_the_error_is_at_most_twice_torchs(name: str, dtype: torch.dtype) -> None:
    """Truth is torch's in float64 at the very same rounded inputs."""
    mine, torchs = both(name, lambda x: x.to(dtype))
    _, truth = both(name, lambda x: x.to(dtype).double())
    if "eps of its own" in name:  # which is that of float32 for lower dtypes
        of, arguments = CASES[name]
        x = arguments[0].to(dtype).double()
        truth = value_and_gradients(of(F), x, (7,), None, torch.finfo(torch.float32).eps)
    # torch's has NaN where 1e-12 is 0 in float16
    assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, ROUNDINGS[dtype])


NORMS = ("layer_norm", "rms_norm", "group_norm", "batch_norm", "instance_norm")


@pytest.mark.parametrize("name", NORMS)
def test_parameters_in_float32_meet_an_input_in_bfloat16(name: str) -> None:
    of, (x, *arguments) = CASES[name]
    x = x.bfloat16()
    arguments = [p.float() if isinstance(p, Tensor) else p for p in arguments]
    mine, torchs = (value_and_gradients(of(package), x, *arguments) for package in (R, F))
    assert [each.dtype for each in mine] == [each.dtype for each in torchs]
    torch.testing.assert_close(mine, torchs, rtol=0.02, atol=0.02)  # a few roundings of bfloat16


def statistics(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    return normal(3, 6).to(dtype), chance(4, 6).to(dtype)


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 3), (2, 6, 3, 4)], ids=str)
@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics_are_torchs(name: str, momentum: float, shape: tuple[int, ...]) -> None:
    if name == "instance_norm" and len(shape) == 2:
        return  # it has but one value for each channel
    for dtype in (torch.float64, torch.float32):
        mine, torchs = statistics(dtype), statistics(dtype)
        for step in range(3):
            x = 2 + normal(10 + step, *shape).to(dtype)
            getattr(R, name)(x, *mine, None, None, True, momentum)
            getattr(F, name)(x, *torchs, None, None, True, momentum)
        roundings = 16 * torch.finfo(dtype).eps
        torch.testing.assert_close(mine, torchs, rtol=roundings, atol=roundings)


def test_running_statistics_stay_without_examples_and_in_evaluation() -> None:
    mine = statistics()
    R.batch_norm(normal(0, 0, 6), *mine, training=True)
    R.batch_norm(normal(0, 5, 6), *mine)
    R.instance_norm(normal(0, 5, 6, 3), *mine, use_input_stats=False)
    torch.testing.assert_close(mine, statistics(), rtol=0, atol=0)


def test_running_statistics_are_no_part_of_the_graph() -> None:
    """A second step after the first one's graph is freed, and no gradient through them."""
    mine, x = statistics(), normal(0, 5, 6).requires_grad_()
    for _ in range(2):
        R.batch_norm(x, *mine, training=True).sum().backward()
    assert not any(each.requires_grad for each in mine)


def test_evaluation_is_differentiable_in_the_running_statistics() -> None:
    x, (mean, variance) = normal(0, 5, 6), statistics()
    mine = value_and_gradients(lambda *given: R.batch_norm(*given, eps=0.1), x, mean, variance)
    written = value_and_gradients(lambda x, m, v: (x - m) / (v + 0.1).sqrt(), x, mean, variance)
    assert_same(mine, written)


def test_zeros_stay_zeros_in_float16() -> None:
    """torch's has NaN there: 1e-12 is 0 in float16."""
    x = zeros(2, 3, dtype=torch.float16, requires_grad=True)
    y = R.normalize(x)
    (grad_x,) = torch.autograd.grad(y, x, ones(2, 3, dtype=torch.float16))
    assert y.count_nonzero() == 0
    assert not grad_x.isnan().any()


REFUSED = {
    "normalized_shape as a number": (
        lambda: R.layer_norm(ones(5, 3), 3),
        ("layer_norm: normalized_shape must be a tuple", "3 arrived", "Write (3,)"),
    ),
    "normalized_shape of no dimension": (
        lambda: R.rms_norm(ones(5, 3), ()),
        ("rms_norm: normalized_shape must be the last dimensions", "it is ()", "(5, 3)"),
    ),
    "normalized_shape of another size": (
        lambda: R.layer_norm(ones(5, 3), (5,)),
        ("normalized_shape must be the last dimensions", "it is (5,)", "input.shape[-1:]"),
    ),
    "a weight of another shape": (
        lambda: R.layer_norm(ones(5, 3), (3,), ones(5)),
        ("layer_norm: weight must have the shape normalized_shape, (3,)", "shape (5,)"),
    ),
    "a negative eps": (
        lambda: R.layer_norm(ones(5, 3), (3,), eps=-1.0),
        ("layer_norm: eps must not be negative", "-1.0 arrived"),
    ),
    "eps of 0 in training": (
        lambda: R.batch_norm(ones(5, 3), None, None, training=True, eps=0.0),
        ("batch_norm: eps must be positive in training", "0.0 arrived"),
    ),
    "groups that do not divide": (
        lambda: R.group_norm(ones(5, 6), 4),
        ("num_groups must be positive and divide the channels", "4 arrived", "(5, 6)"),
    ),
    "no groups": (
        lambda: R.group_norm(ones(5, 6), 0),
        ("num_groups must be positive", "0 arrived"),
    ),
    "one value in all": (
        lambda: R.group_norm(ones(1, 3), 3),
        ("group_norm: mean and variance must be those of more than one value", "(1, 3)"),
    ),
    "one example": (
        lambda: R.batch_norm(ones(1, 3), None, None, training=True),
        ("batch_norm: mean and variance must be those of more than one value", "(1, 3)"),
    ),
    "one value a channel": (
        lambda: R.instance_norm(ones(5, 3, 1)),
        ("instance_norm: mean and variance must be those of more than one", "(5, 3, 1)"),
    ),
    "no channels": (
        lambda: R.batch_norm(ones(3), None, None, training=True),
        ("batch_norm: input must have channels second", "(3,)", "unsqueeze(0)"),
    ),
    "statistics for other channels": (
        lambda: R.batch_norm(ones(5, 3), ones(4), ones(4)),
        ("batch_norm: running_mean must have one entry a channel", "(4,)", "(5, 3)"),
    ),
    "no statistics in evaluation": (
        lambda: R.batch_norm(ones(5, 3), ones(3), None),
        ("batch_norm: running_var must be given", "it is None"),
    ),
    "no statistics for instances": (
        lambda: R.instance_norm(ones(5, 3, 2), use_input_stats=False),
        ("instance_norm: running_mean must be given", "it is None"),
    ),
    "parameters of a lower dtype": (
        lambda: R.layer_norm(ones(5, 3), (3,), ones(3).bfloat16()),
        ("layer_norm: weight must have the dtype of input, or be float32", "weight.to(input.dtype"),
    ),
    "parameters in float64": (
        lambda: R.layer_norm(ones(5, 3).bfloat16(), (3,), ones(3).double()),
        ("layer_norm: weight must have the dtype of input, or be float32", "float64"),
    ),
    "parameters elsewhere": (
        lambda: R.rms_norm(ones(5, 3), (3,), ones(3, device="meta")),
        ("rms_norm: input and weight must have the same device", "meta"),
    ),
    "integers": (
        lambda: R.normalize(torch.arange(6).reshape(2, 3)),
        ("normalize: input must be a real floating-point", "torch.int64"),
    ),
    "an output": (
        lambda: R.normalize(ones(2, 3), out=ones(2, 3)),
        ("normalize: out must be None", "a tensor arrived"),
    ),
    "a norm that is none": (
        lambda: R.normalize(ones(2, 3), p=0),
        ("normalize: p must be positive", "0 arrived"),
    ),
    "a dimension that is not there": (
        lambda: R.normalize(ones(3)),
        ("normalize: dim must be among the dimensions", "1 arrived", "(3,)", "dim=0"),
    ),
}


@each_of(REFUSED)
def test_bad_input_is_refused_with_a_telling_message(
    call: Callable[[], Tensor], words: tuple[str, ...]
) -> None:
    assert_refused(call, words)
