"""What the user promises of a candidate decides what it is held to, and is told in the report."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import torch
from torch.autograd import Function

from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import Rule
from torchref import InputError, crosscheck
from torchref.checker.promise import VARIED

X = normal(4, 3)


class Spike(Function):
    """A step, trained by the slope of a steep sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = torch.sigmoid(4 * x)
        return 4 * grad_y * y * (1 - y)


def step(x):
    return (x > 0).to(x.dtype)


def steep(x):
    return torch.sigmoid(4 * x)


@pytest.mark.parametrize("reference", [step, None])
@pytest.mark.parametrize("seed", range(6))
def test_a_surrogate_gradient(reference, seed: int) -> None:
    x = normal(4, 5, seed=seed)
    report = crosscheck(Spike, reference, (x,), surrogate=steep, seed=seed)
    assert report.verdict == "right", str(report)
    report = crosscheck(Spike, reference, (x,), surrogate=torch.sigmoid, seed=seed)
    assert report.verdict == "wrong"


class SpikeOfFewDigits(Spike):
    """Another slope, with a constant that was a float32 number."""

    width = torch.tensor(0.7, dtype=torch.float32)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y / (SpikeOfFewDigits.width + x * x) / SpikeOfFewDigits.width


def narrow(x):
    return torch.atan(x / 0.7**0.5) / 0.7**1.5


@pytest.mark.parametrize("seed", range(6))
def test_a_constant_needs_no_more_digits_than_the_inputs_have(seed: int) -> None:
    x = normal(4, 5, seed=seed)
    report = crosscheck(SpikeOfFewDigits, step, (x.float(),), surrogate=narrow, seed=seed)
    assert report.verdict == "right", str(report)
    assert any("right to the digits of float32" in note for note in report.notes)
    report = crosscheck(SpikeOfFewDigits, step, (x,), surrogate=narrow, seed=seed)
    assert report.verdict == "wrong"
    assert {finding.cause for finding in report.findings} <= {"constant-factor", "precision-loss"}


@pytest.mark.parametrize("reference", [lambda z: z * z, None])
def test_a_complex_surrogate_gradient(reference) -> None:
    class Straight(Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, grad_y):
            return 5 * grad_y

    class Exact(Straight):
        @staticmethod
        def backward(ctx, grad_y):
            (z,) = ctx.saved_tensors
            return grad_y * 2 * z.conj()

    z = torch.complex(normal(3, 2), normal(3, 2, seed=1)).to(torch.complex64)
    report = crosscheck(Straight, reference, (z,), surrogate=lambda z: 5 * z)
    assert report.verdict == "right", str(report)
    assert crosscheck(Exact, reference, (z,), surrogate=lambda z: 5 * z).verdict == "wrong"


def test_a_surrogate_is_no_excuse_for_the_forward() -> None:
    report = crosscheck(Spike, torch.relu, (X,), surrogate=steep)
    assert "forward-wrong" in {finding.cause for finding in report.findings}


def test_without_a_surrogate_it_is_said_what_to_write() -> None:
    report = crosscheck(Spike, step, (X,))
    assert report.findings[0].cause == "straight-through"
    assert "surrogate=" in str(report)


class OfPositives(Rule):
    """The root, whose gradient is wrong where an entry is 0 or less."""

    @staticmethod
    def forward(x):
        return x.abs().sqrt()

    @staticmethod
    def gradients(grad_y, x):
        return grad_y / (2 * x.abs().sqrt())


@pytest.mark.parametrize("domain", [lambda x: x > 0, {"x": lambda x: bool((x > 0).all())}])
def test_nothing_is_tried_outside_the_domain(domain) -> None:
    def root(x):
        return x.abs().sqrt()

    inputs = (X.abs() + 0.1,)
    assert crosscheck(OfPositives, root, inputs).verdict == "wrong"
    report = crosscheck(OfPositives, root, inputs, domain=domain)
    assert report.verdict == "right", str(report)
    (check,) = (check for check in report.checks if check.name == "variations of the inputs")
    assert "outside the domain" in check.note


def below_in_float32(x):
    return x @ torch.ones(3) < 99


@pytest.mark.parametrize("domain", [below_in_float32, lambda x: x.dtype == torch.float32])
def test_the_domain_is_asked_in_the_precision_that_is_checked(domain) -> None:
    with pytest.raises(InputError) as refusal:
        crosscheck(torch.sin, torch.sin, (X.float(),), domain=domain)
    assert "in the precision that is checked too, float64" in str(refusal.value)
    assert 'precision="native"' in str(refusal.value)
    report = crosscheck(torch.sin, torch.sin, (X.float(),), domain=domain, precision="native")
    assert report.verdict == "right", str(report)


def test_a_domain_that_refuses_other_sizes_excludes_them() -> None:
    report = crosscheck(torch.sin, torch.sin, (normal(30, 20),), domain=lambda x: x[29, 19] < 99)
    assert report.verdict == "right", str(report)


def test_only_the_kinds_named_are_varied() -> None:
    report = crosscheck(OfPositives, lambda x: x.abs().sqrt(), (X.abs() + 0.1,), vary=("sizes",))
    assert report.verdict == "right", str(report)
    skipped = {check.name for check in report.checks if check.note == "by vary="}
    assert skipped == {"layout of grad_output", "layout of inputs"}


@pytest.mark.parametrize("reference", [torch.sin, None])
def test_a_tolerance_is_kept_to(reference) -> None:
    class Approximate(Rule):
        error = 1e-6

        @staticmethod
        def forward(x):
            return x.sin()

        @classmethod
        def gradients(cls, grad_y, x):
            return grad_y * x.cos() * (1 + 1e-6)

    assert crosscheck(Approximate, reference, (X,)).verdict == "wrong"
    report = crosscheck(Approximate, reference, (X,), tolerance=1e-5)
    assert report.verdict == "right", str(report)
    assert "1e-05 of the entry" in str(report)
    assert crosscheck(Approximate, reference, (X,), tolerance=1e-8).verdict == "wrong"


def test_what_there_was_no_time_for_is_said() -> None:
    class Slow(Rule):
        @staticmethod
        def forward(x):
            time.sleep(0.02)
            return x.sin()

        @staticmethod
        def gradients(grad_y, x):
            return grad_y * x.cos()

    report = crosscheck(Slow, torch.sin, (X,), seconds=0.3)
    assert report.verdict == "right", str(report)
    assert any("seconds= were over" in note for note in report.notes)
    assert {check.status for check in report.checks if check.name == "vmap"} == {"skipped"}
    at_once = crosscheck(Slow, torch.sin, (X,), seconds=1e-9)
    assert at_once.verdict == "cannot tell"


WRONG_TYPES = {
    "seed": ["5", True, 1.5, None, -1],
    "order": ["2", True, 2.0, None, [2]],
    "expect": [["mutates-input"], {"mutates-input"}, [("mutates-input", "why")], 5, True, [], 0],
    "domain": [5, "x > 0", {"input0": 5}, [torch.isfinite], True],
    "vary": [None, 5, 0, 1, {"values": False}],
    "tolerance": ["1e-3", None, 1j, torch.tensor([1e-3, 1e-3]), math.nan, [1e-3], True, 10**400],
    "precision": [["native"], ("native",), torch.float32, 16, True, torch.tensor([1, 2])],
    "seconds": ["5", [5], True, math.nan, torch.tensor([5, 5]), 10**400],
    "isolate": ["False", "True", 0, 1, None, []],
    "thorough": ["False", 0, None],
    "diagnose": ["False", 0, None],
    "progress": ["False", 1],
    "kwargs": [5, "dim", [("dim", 0)]],
    "samples": [5, None, X, "x", [5], ["x"]],
    "wrt": [5, True],
    "inputs": [5, "x", True],
}


@pytest.mark.parametrize(
    ("name", "given"),
    [(name, each) for name, all_of_it in WRONG_TYPES.items() for each in all_of_it],
    ids=lambda value: str(value)[:20],
)
def test_what_is_of_another_type_is_refused_by_its_name(name: str, given: object) -> None:
    with pytest.raises(
        InputError, match=rf"^(inputs|{name}) must .*, but .* arrived\. "
    ) as refusal:
        crosscheck(torch.sin, torch.sin, **({"inputs": (X,)} | {name: given}))
    assert len(refusal.value.args[1]) < 100


@pytest.mark.parametrize(
    "promise",
    [
        {"tolerance": torch.tensor(1e-3)},
        {"seconds": torch.tensor(60.0)},
        {"tolerance": np.float32(1e-3), "seconds": np.int64(60), "order": np.int64(1)},
        {"vary": ["values"]},
        {"vary": frozenset()},
        {"expect": {}},
        {"expect": None},
        {"domain": {}},
    ],
    ids=str,
)
def test_what_stands_for_the_same_is_accepted(promise) -> None:
    assert crosscheck(torch.sin, torch.sin, (X,), **promise).verdict == "right"


@pytest.mark.parametrize(
    ("promise", "must", "fix"),
    [
        ({"order": 3}, "order must be 1", "Leave it out"),
        ({"expect": {"mutate-input": "x"}}, "expect may name", "Did you mean mutates-input?"),
        ({"expect": {"mutates-input": ""}}, "a reason for each cause", "expect={"),
        ({"expect": "mutates-input"}, "causes to reasons", "Write expect={'mutates-input': "),
        ({"expect": "mutates"}, "causes to reasons", "`torchref causes` lists them."),
        ({"vary": ("value",)}, ", ".join(VARIED), "Did you mean values?"),
        ({"vary": "values"}, "a collection of names", "vary=('values',)"),
        ({"vary": "all"}, "a collection of names", "True tries all of them"),
        ({"tolerance": -1}, "tolerance must be at least 0", "1e-6"),
        ({"tolerance": 1}, "less than 1: the relative error", "1e-6"),
        ({"precision": "half"}, "precision must be", "give inputs of 16 bits"),
        ({"seconds": 0}, "seconds must be more than 0", "Leave it out"),
        ({"domain": lambda x: x > 9}, "domain says False of them (as given)", "mend the predicate"),
        ({"domain": lambda: True}, "domain must take", "domain=lambda"),
        ({"domain": lambda x: None}, "return a bool, or a tensor of them, but None", "return"),
        ({"domain": {"input0": lambda x: "yes"}}, "bool, or a tensor of them, but 'yes'", "return"),
        ({"domain": {"y": lambda y: True}}, "domain may name input0", "inputs' names"),
        ({"surrogate": lambda x: x.sum()}, "the surrogate must return", "Write one"),
        ({"surrogate": lambda x: (5 * x).long()}, "int64 arrived beside float64", "Write one"),
        ({"surrogate": lambda x: torch.complex(x, x)}, "complex128 arrived beside", "Write one"),
        ({"surrogate": 5}, "surrogate= takes a torch.autograd.Function", "the function itself"),
        ({"reference": 5}, "reference= takes a torch.autograd.Function", "the function itself"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_promises_nothing_is_refused(promise, must: str, fix: str) -> None:
    with pytest.raises(InputError) as refusal:
        crosscheck(torch.sin, **({"reference": torch.sin, "inputs": (X,)} | promise))
    assert must in str(refusal.value)
    assert fix in str(refusal.value)
