"""What the call takes: candidates, inputs, references, samples, and which gradients."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.checker.given import assert_right, assert_wrong, causes, normal
from tests.checker.given.candidates import Doubled, Scaled, SlopeForgotten
from torchref import crosscheck
from torchref.ops import Affine, Sigmoid


@pytest.mark.parametrize("candidate", [Sigmoid, Sigmoid.apply, Sigmoid.call, nn.Sigmoid()])
def test_all_kinds_of_candidates_are_taken(candidate: object) -> None:
    assert_right(candidate, torch.sigmoid, (normal(4, 3),))


@pytest.mark.parametrize("candidate", [Doubled, Doubled.apply, lambda x: Doubled.apply(x)])
def test_all_kinds_of_candidates_are_judged(candidate: object) -> None:
    report = crosscheck(candidate, lambda x: 2 * x, (normal(4, 3),))
    assert causes(report) == ["constant-factor"]
    assert report.findings[0].argument == "x"
    assert "0.5 times" in report.findings[0].evidence


def test_no_reference_is_needed() -> None:
    assert_right(Sigmoid, inputs=(normal(4, 3),))
    assert causes(crosscheck(Doubled, inputs=(normal(4, 3),)))[0] == "constant-factor"


def test_inputs_by_name() -> None:
    inputs = {"weight": normal(3, 4), "x": normal(5, 4), "bias": normal(3)}
    assert_right(Affine, F.linear, inputs)


def test_a_structure_of_inputs_has_a_name_for_each_leaf() -> None:
    def candidate(pair, options):
        return pair[0] * options["gain"].detach() + pair[1]

    def reference(pair, options):
        return pair[0] * options["gain"] + pair[1]

    inputs = ((normal(3), normal(3, seed=1)), {"gain": normal(3, seed=2)})
    (finding,) = crosscheck(candidate, reference, inputs).findings
    assert (finding.cause, finding.argument) == ("missing-gradient", "options['gain']")


def test_several_outputs_in_any_structure() -> None:
    def candidate(x):
        return {"sum": x.sum(0), "rest": [x.argmax(), x.detach() * 0 + Doubled.apply(x)]}

    def reference(x):
        return {"sum": x.sum(0), "rest": [x.argmax(), 2 * x]}

    assert_right(reference, reference, (normal(4, 3),))
    assert_wrong(candidate, reference, (normal(4, 3),))


def test_kwargs_reach_candidate_and_reference() -> None:
    inputs, kwargs = (normal(4, 3),), {"factor": 2.5}
    assert_right(Scaled, lambda x, factor: factor * x, inputs, kwargs=kwargs)
    assert "forward-wrong" in causes(crosscheck(Scaled, lambda x, factor: x, inputs, kwargs=kwargs))


def test_samples_are_checked_too() -> None:
    def reference(x, factor):
        return factor * x

    x = normal(4, 3)
    assert_right(Scaled, reference, (x, 2.5))
    report = crosscheck(Scaled, reference, (x, 2.5), samples=[(x, 0.5), (x, 3.0)])
    assert causes(report) == ["constant-factor"]
    assert report.findings[0].at == "sample 2"


def test_wrt_says_which_gradients_are_judged() -> None:
    def reference(x, scale):
        return scale * torch.sin(x)

    inputs = (normal(4, 3), normal(4, 3, seed=1))
    report = crosscheck(SlopeForgotten, reference, inputs)
    assert {finding.argument for finding in report.findings} == {"x"}
    assert_right(SlopeForgotten, reference, inputs, wrt=["scale"])
    assert_wrong(SlopeForgotten, reference, inputs, wrt="x")


def test_an_input_without_a_gradient_in_the_reference_is_left_out_and_noted() -> None:
    def reference(x, target):
        return F.binary_cross_entropy_with_logits(x, target.detach())

    def refuses(x, target):
        if target.requires_grad:
            raise RuntimeError("no gradient for the target")
        return F.binary_cross_entropy_with_logits(x, target)

    inputs = (normal(4, 3), torch.rand(4, 3))
    report = assert_right(reference, refuses, inputs)
    assert "target is left out: refuses has no gradient for it" in report.notes


def test_single_precision_inputs_are_checked_in_double() -> None:
    x = normal(4, 3).float()
    assert_wrong(
        lambda x: x.square() * (1 + 1e-9) - (x.square() * 1e-9).detach(), None, (x,)
    )  # by far less than single precision holds


def test_a_candidate_that_refuses_float64_is_checked_in_its_dtype() -> None:
    def single(x):
        if x.dtype is not torch.float32:
            raise TypeError("float32 only")
        return x.sin()

    report = assert_right(single, torch.sin, (normal(4, 3).float(),))
    assert any(note.startswith("checked in the dtype given") for note in report.notes)
    assert_wrong(
        lambda x: 1.01 * single(x) - 0.01 * single(x).detach(), torch.sin, (normal(4, 3).float(),)
    )


@pytest.mark.cuda
def test_inputs_on_cuda_stay_there() -> None:
    x = normal(4, 3).cuda()
    devices = set()

    def candidate(x):
        if x.requires_grad:  # steps of differences are rehearsed on the CPU
            devices.add(x.device.type)
        return x.sin()

    assert_right(candidate, torch.sin, (x,))
    assert devices == {"cuda"}
