"""What the call leaves as it was: the caller's tensors, random numbers and settings."""

import warnings

import pytest
import torch
import torch.nn.functional as F

from tests.checker.given import assert_right, causes, normal
from tests.checker.given.candidates import SlopeForgotten
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.errors import InputError
from torchref.ops import Sigmoid


def test_the_users_tensors_are_left_alone() -> None:
    x, weight = normal(4, 3).requires_grad_(), normal(4, 3, seed=1)
    x.grad = torch.ones_like(x)
    before = [x.detach().clone(), weight.clone()]
    crosscheck(torch.mul, torch.mul, (x, weight))
    assert torch.equal(x, before[0])
    assert torch.equal(weight, before[1])
    assert torch.equal(x.grad, torch.ones_like(x))
    assert x.requires_grad
    assert not weight.requires_grad


def test_a_candidate_that_writes_into_its_input_does_not_reach_the_users() -> None:
    x = normal(4, 3)
    before = x.clone()
    assert "mutates-input" in causes(crosscheck(lambda x: x.data.mul_(2) * x.sum(), None, (x,)))
    assert torch.equal(x, before)


def test_random_numbers_go_on_as_if_none_had_been_drawn() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    crosscheck(lambda x: F.dropout(x, 0.4), None, (normal(4, 3),))
    assert torch.equal(torch.rand(3), expected)


def test_settings_of_torch_are_as_before() -> None:
    filters = list(warnings.filters)
    with torch.no_grad():
        assert_right(Sigmoid, torch.sigmoid, (normal(4, 3),))
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_default_dtype() is torch.float32
    assert warnings.filters == filters
    assert Sigmoid.backward is vars(Sigmoid)["backward"].__func__


def test_dropout_draws_the_same_numbers_in_every_forward() -> None:
    assert_right(lambda x: F.dropout(x, 0.4), lambda x: F.dropout(x, 0.4), (normal(4, 3),))


def test_the_same_seed_gives_the_same_report() -> None:
    first, again, other = (
        crosscheck(SlopeForgotten, None, (normal(4, 3), normal(4, 3)), seed=seed).to_dict()
        for seed in (5, 5, 6)
    )
    assert first == again
    assert first["findings"] != other["findings"]


def test_inference_mode_keeps_no_tape_and_is_left_for_the_time_of_the_check() -> None:
    module = torch.nn.Linear(3, 2, dtype=torch.float64)
    with torch.inference_mode():
        x = normal(4, 3)
        assert_right(Sigmoid, torch.sigmoid, (x,))
        assert_right(module, None, (x,))
        assert torch.is_inference_mode_enabled()


class Scaled(torch.nn.Module):
    """Holds a tensor that is no parameter and no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 4)
        self.scale = torch.full((4,), 2.0, dtype=torch.float64)

    def forward(self, x):
        return self.layer(x) * self.scale


def test_a_tensor_made_in_inference_mode_is_no_fault_of_the_gradient() -> None:
    with torch.inference_mode():
        module, plain = Scaled(), torch.nn.Linear(3, 4)
    told = r"Scaled must hold no tensor made inside torch\.infer"
    for reference in (None, module):
        with pytest.raises(InputError, match=told):
            crosscheck(module, reference, (normal(5, 3),))
    with pytest.raises(InputError, match="Scaled must hold no tensor"):
        crosscheck(Scaled(), module, (normal(5, 3),))
    assert_right(plain, inputs=(normal(5, 3),))


@gradients_of(lambda x: torch.sin(x.half()).to(x.dtype))
def InHalf(grad_y, x):
    """Computes in float16 whatever comes, and returns what came."""
    return grad_y * x.cos()


class OfHalf(InHalf):
    @staticmethod
    def forward(x):
        if x.dtype is not torch.bfloat16:
            raise TypeError("this kernel takes bfloat16")
        return InHalf.forward(x)


def test_a_forward_in_16_bits_needs_a_reference() -> None:
    told = str(crosscheck(InHalf, inputs=(normal(4, 3),)))
    assert "cannot tell: gradient by differences: as given: the forward computes in 16 bits" in told
    assert "give a reference" in told
    assert "the dtype of its inputs, which are float64 here" in told
    of_half = str(crosscheck(OfHalf, inputs=(normal(4, 3).bfloat16(),)))
    assert "give a reference" in of_half
    assert "float64 here" not in of_half
    beside = assert_right(OfHalf, torch.sin, (normal(4, 3).bfloat16(),))
    assert "give a reference" not in str(beside)
