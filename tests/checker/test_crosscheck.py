"""The call: what it takes, what it leaves alone, and how long it takes for a whole module."""

import json
import warnings
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.checker.scenes import normal
from tests.wrong_ops.rule import SavesInputs
from torchref import Report, crosscheck
from torchref.checker.causes import CAUSES
from torchref.ops import Affine, Sigmoid

ROWS = 7


class Doubled(SavesInputs):
    """y = x + x, whose gradient counts x once."""

    @staticmethod
    def forward(x):
        return x + x

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.clone()


class Scaled(SavesInputs):
    """y = factor · x, right unless the factor is 3."""

    @staticmethod
    def forward(x, factor):
        return factor * x

    @staticmethod
    def backward(ctx, grad_y):
        _, factor = ctx.given
        return grad_y * (1.0 if factor == 3 else factor), None


class SlopeForgotten(SavesInputs):
    """y = scale · sin x, whose gradient of the scale is right and that of x lacks the scale."""

    @staticmethod
    def forward(x, scale):
        return scale * torch.sin(x)

    @staticmethod
    def backward(ctx, grad_y):
        x, _ = ctx.saved_tensors
        return grad_y * torch.cos(x), grad_y * torch.sin(x)


def causes(report: Report) -> list[str]:
    return [finding.cause for finding in report.findings]


@pytest.mark.parametrize("candidate", [Sigmoid, Sigmoid.apply, Sigmoid.call, nn.Sigmoid()])
def test_all_kinds_of_candidates_are_taken(candidate: object) -> None:
    report = crosscheck(candidate, torch.sigmoid, (normal(4, 3),))
    assert report.verdict == "right", str(report)


@pytest.mark.parametrize("candidate", [Doubled, Doubled.apply, lambda x: Doubled.apply(x)])
def test_all_kinds_of_candidates_are_judged(candidate: object) -> None:
    report = crosscheck(candidate, lambda x: 2 * x, (normal(4, 3),))
    assert causes(report) == ["constant-factor"]
    assert report.findings[0].argument == "x"
    assert "0.5 times" in report.findings[0].evidence


def test_no_reference_is_needed() -> None:
    assert crosscheck(Sigmoid, inputs=(normal(4, 3),)).verdict == "right"
    assert causes(crosscheck(Doubled, inputs=(normal(4, 3),)))[0] == "constant-factor"


def test_inputs_by_name() -> None:
    inputs = {"weight": normal(3, 4), "x": normal(5, 4), "bias": normal(3)}
    assert crosscheck(Affine, F.linear, inputs).verdict == "right"


def test_a_structure_of_inputs_has_a_name_for_each_leaf() -> None:
    def candidate(pair, options):
        return pair[0] * options["gain"].detach() + pair[1]

    inputs = ((normal(3), normal(3, seed=1)), {"gain": normal(3, seed=2)})
    report = crosscheck(
        candidate, lambda pair, options: pair[0] * options["gain"] + pair[1], inputs
    )
    assert [finding.argument for finding in report.findings] == ["options['gain']"]
    assert causes(report) == ["missing-gradient"]


def test_several_outputs_in_any_structure() -> None:
    def candidate(x):
        return {"sum": x.sum(0), "rest": [x.argmax(), x.detach() * 0 + Doubled.apply(x)]}

    def reference(x):
        return {"sum": x.sum(0), "rest": [x.argmax(), 2 * x]}

    assert crosscheck(reference, reference, (normal(4, 3),)).verdict == "right"
    assert crosscheck(candidate, reference, (normal(4, 3),)).verdict == "wrong"


def test_kwargs_reach_candidate_and_reference() -> None:
    inputs, kwargs = (normal(4, 3),), {"factor": 2.5}
    assert (
        crosscheck(Scaled, lambda x, factor: factor * x, inputs, kwargs=kwargs).verdict == "right"
    )
    assert "forward-wrong" in causes(crosscheck(Scaled, lambda x, factor: x, inputs, kwargs=kwargs))


def test_samples_are_checked_too() -> None:
    def reference(x, factor):
        return factor * x

    x = normal(4, 3)
    assert crosscheck(Scaled, reference, (x, 2.5)).verdict == "right"
    report = crosscheck(Scaled, reference, (x, 2.5), samples=[(x, 0.5), (x, 3.0)])
    assert causes(report) == ["constant-factor"]
    assert report.findings[0].at == "sample 2"


def test_wrt_says_which_gradients_are_judged() -> None:
    def reference(x, scale):
        return scale * torch.sin(x)

    inputs = (normal(4, 3), normal(4, 3, seed=1))
    report = crosscheck(SlopeForgotten, reference, inputs)
    assert {finding.argument for finding in report.findings} == {"x"}
    assert crosscheck(SlopeForgotten, reference, inputs, wrt=["scale"]).verdict == "right"
    assert crosscheck(SlopeForgotten, reference, inputs, wrt="x").verdict == "wrong"


def test_an_input_without_a_gradient_in_the_reference_is_left_out_and_noted() -> None:
    def reference(x, target):
        return F.binary_cross_entropy_with_logits(x, target.detach())

    def refuses(x, target):
        if target.requires_grad:
            raise RuntimeError("no gradient for the target")
        return F.binary_cross_entropy_with_logits(x, target)

    inputs = (normal(4, 3), torch.rand(4, 3))
    report = crosscheck(reference, refuses, inputs)
    assert report.verdict == "right", str(report)
    assert "target is left out: refuses has no gradient for it" in report.notes


def test_single_precision_inputs_are_checked_in_double() -> None:
    x = normal(4, 3).float()
    report = crosscheck(
        lambda x: x.square() * (1 + 1e-9) - (x.square() * 1e-9).detach(), None, (x,)
    )
    assert report.verdict == "wrong"  # by far less than single precision holds


def test_a_candidate_that_refuses_float64_is_checked_in_its_dtype() -> None:
    def single(x):
        if x.dtype is not torch.float32:
            raise TypeError("float32 only")
        return x.sin()

    report = crosscheck(single, torch.sin, (normal(4, 3).float(),))
    assert report.verdict == "right", str(report)
    assert any(note.startswith("checked in the dtype given") for note in report.notes)
    wrong = crosscheck(
        lambda x: 1.01 * single(x) - 0.01 * single(x).detach(), torch.sin, (normal(4, 3).float(),)
    )
    assert wrong.verdict == "wrong"


class Deep(nn.Module):
    """Ten layers: 20 parameters, and batch norm's buffers."""

    def __init__(self, linear: type[nn.Module]) -> None:
        super().__init__()
        sizes = [5, 4, 6, 3, 7, 4, 5, 3, 6, 4]
        self.layers = nn.ModuleList(linear(i, o) for i, o in pairwise(sizes))
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.norm(x)


class HandLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return Affine.call(x, self.weight, self.bias)


class ForgetfulLinear(nn.Linear):
    """The fourth layer's bias has a gradient of its first row alone."""

    def forward(self, x: Tensor) -> Tensor:
        if self.in_features != 3 or self.out_features != 7:
            return Affine.call(x, self.weight, self.bias)
        first = self.bias - self.bias.detach()
        mask = torch.zeros(len(x), 1, dtype=x.dtype, device=x.device)
        mask[0] = 1
        return F.linear(x, self.weight, self.bias.detach()) + first * mask


def deep_twins(linear: type[nn.Module]) -> tuple[Deep, Deep]:
    torch.manual_seed(3)
    twin = Deep(nn.Linear)
    candidate = Deep(linear)
    candidate.load_state_dict(twin.state_dict())
    return candidate, twin


def test_a_module_of_20_parameters_against_its_twin() -> None:
    candidate, twin = deep_twins(HandLinear)
    assert len(list(candidate.parameters())) == 20
    report = crosscheck(candidate, twin, (normal(ROWS, 5),))
    assert report.verdict == "right", str(report)


def test_one_wrong_parameter_of_20_is_named() -> None:
    candidate, twin = deep_twins(ForgetfulLinear)
    report = crosscheck(candidate, twin, (normal(ROWS, 5),))
    assert {finding.argument for finding in report.findings} == {"layers.3.bias"}, str(report)


def test_a_module_keeps_its_gradients_parameters_and_buffers() -> None:
    candidate, twin = deep_twins(HandLinear)
    candidate(normal(ROWS, 5).float()).sum().backward()
    kept = [p.grad.clone() for p in candidate.parameters()]
    state = {name: value.clone() for name, value in candidate.state_dict().items()}
    crosscheck(candidate, twin, (normal(ROWS, 5),))
    torch.testing.assert_close([p.grad for p in candidate.parameters()], kept, rtol=0, atol=0)
    torch.testing.assert_close(dict(candidate.state_dict()), state, rtol=0, atol=0)
    assert all(p.grad is None for p in twin.parameters())
    assert candidate.training


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


def test_progress_is_told_as_it_goes() -> None:
    told: list[str] = []
    crosscheck(Sigmoid, torch.sigmoid, (normal(4, 3),), progress=told.append)
    assert told[0] == "as given"
    assert {"second order", "vmap", "zeros in x"} <= set(told)


def test_the_dictionary_is_json_and_has_everything() -> None:
    report = crosscheck(Doubled, lambda x: 2 * x, (normal(4, 3),), seed=4)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told.keys() == {
        *("candidate", "reference", "seed", "verdict", "worst", "findings", "checks", "notes")
    }
    assert (told["candidate"], told["verdict"], told["seed"]) == ("Doubled", "wrong", 4)
    (finding,) = told["findings"]
    assert finding["cause"] == "constant-factor"
    assert finding["argument"] == "x"
    assert len(finding["element"]) == 2
    assert finding["at"] == "as given"
    assert finding["look_at"] == CAUSES["constant-factor"].look_at
    assert {"name", "status", "worst", "note"} == told["checks"][0].keys()
    assert told["worst"] == max(check["worst"] or 0 for check in told["checks"])


def test_a_gradient_that_is_not_finite_is_json_too() -> None:
    class Pole(SavesInputs):
        @staticmethod
        def forward(x):
            return x * 1

        @staticmethod
        def backward(ctx, grad_y):
            return grad_y / 0

    report = crosscheck(Pole, lambda x: x * 1, (normal(4, 3),))
    assert "not-finite" in causes(report)
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.cuda
def test_inputs_on_cuda_stay_there() -> None:
    x = normal(4, 3).cuda()
    devices = set()

    def candidate(x):
        devices.add(x.device.type)
        return x.sin()

    assert crosscheck(candidate, torch.sin, (x,)).verdict == "right"
    assert devices == {"cuda"}
