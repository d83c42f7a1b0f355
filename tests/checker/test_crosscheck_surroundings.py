"""What the call leaves as it was: the caller's tensors, random numbers and settings."""

import warnings

import torch
import torch.nn.functional as F

from tests.checker.half_right import SlopeForgotten, causes
from tests.checker.scenes import normal
from torchref import crosscheck
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
    report = crosscheck(lambda x: x.data.mul_(2) * x.sum(), None, (x,))
    assert "mutates-input" in causes(report)
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
        assert crosscheck(Sigmoid, torch.sigmoid, (normal(4, 3),)).verdict == "right"
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_default_dtype() is torch.float32
    assert warnings.filters == filters
    assert Sigmoid.backward is vars(Sigmoid)["backward"].__func__


def test_dropout_draws_the_same_numbers_in_every_forward() -> None:
    report = crosscheck(lambda x: F.dropout(x, 0.4), lambda x: F.dropout(x, 0.4), (normal(4, 3),))
    assert report.verdict == "right", str(report)


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
        assert crosscheck(Sigmoid, torch.sigmoid, (x,)).verdict == "right"
        assert crosscheck(module, None, (x,)).verdict == "right"
        assert torch.is_inference_mode_enabled()
