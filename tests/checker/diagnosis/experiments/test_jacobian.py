"""One entry of grad_output at a time: what is wrong about a linear map."""

import pytest
import torch
import torch.nn.functional as F

from tests.checker.given import normal, of_x
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck

# Of what is averaged, by output.
WINDOW = torch.tensor([[0, 1, 4], [3, 2, 5], [1, 5, 0], [4, 3, 2]])


def averaged(x):
    return x[WINDOW].mean(1)


def without_the_last(g, x):
    spread = g.repeat_interleave(2, 0) / 3
    return torch.zeros_like(x).index_add(0, WINDOW[:, :2].reshape(-1), spread)


def elsewhere(g, x):
    wrong = WINDOW[[2, 0, 3, 1]]
    return torch.zeros_like(x).index_add(0, wrong.reshape(-1), g.repeat_interleave(3) / 3)


CASES = {
    "J": (
        *(lambda x: x.cumsum(-1), lambda g, x: g.cumsum(-1), normal(2, 5), "transposed"),
        "it is J · grad_output, where Jᵀ · grad_output is meant",
    ),
    "the inverse of J": (
        lambda x: x.cumsum(-1),
        lambda g, x: torch.diff(g, dim=-1, prepend=0 * g[:, :1]),
        *(normal(2, 5), "transposed", "through the inverse of the linear map of forward"),
    ),
    "some are missing": (
        *(averaged, without_the_last, normal(6, 2), "missing-term"),
        "16 entries are right, 8 are missing, as that from grad_output[0, 0] to x[4, 0]",
    ),
    "some are too many": (
        lambda x: x[:, 1:] - x[:, :-1],
        lambda g, x: (
            F.pad(g, (1, 0))
            - F.pad(g, (0, 1))
            + F.pad(g, (1, 0)).roll(2, 1)
            + F.pad(g, (0, 1)).roll(2, 1)
        ),
        *(normal(3, 5), "missing-term"),
        "24 entries are right, 24 are too many, as that from grad_output[0, 0] to x[0, 2]",
    ),
    "some are elsewhere": (
        *(averaged, elsewhere, normal(6), "wrong-elements"),
        "grad_output[0] enters x[5] where it should enter x[4], and grad_output[1] enters x[0], ",
    ),
}


@pytest.mark.parametrize("called", CASES)
def test_what_is_wrong_about_a_linear_map(called: str) -> None:
    forward, gradients, x, cause, told = CASES[called]
    (finding,) = crosscheck(of_x(forward, gradients), forward, (x,), thorough=False).findings
    assert finding.cause == cause
    assert told in finding.evidence


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_cause_can_be_sought_in_a_map_of_16_bits(dtype: torch.dtype) -> None:
    weight, other = normal(5, 5, seed=1).to(dtype), normal(5, 5, seed=2).to(dtype)

    def forward(x):
        return x @ weight

    candidate = of_x(forward, lambda g, x: g @ other)
    report = crosscheck(candidate, forward, (normal(1, 5).to(dtype),), thorough=False)
    assert report.verdict == "wrong", str(report)
    assert "could not be sought" not in str(report)


def test_those_that_are_right_are_told_from_those_that_are_not() -> None:
    def forward(x):
        return torch.stack([x.sin().sum(), x.cos().sum(), (x * x.flip(0)).sum(), x.prod()])

    def gradients(g, x):
        right = g[0] * x.cos() - g[1] * x.sin() + 2 * g[2] * x.flip(0)
        return right + g[3] * (x.prod() / x).tanh() * x

    (finding,) = crosscheck(
        of_x(forward, gradients), forward, (normal(6),), thorough=False
    ).findings
    assert finding.cause == "missing-term"
    told = "1 of the 4 entries of grad_output contribute what they should not: the last along"
    assert told in finding.evidence


@gradients_of(lambda x, y: ((x + y).tanh(), x * y))
def SumAndProduct(grad_sum, grad_product, x, y):
    """Two outputs, of which the second is differentiated wrongly."""
    slope = 1 - (x + y).tanh() ** 2
    return grad_sum * slope + grad_product * y.cosh().log1p(), grad_sum * slope + x


def test_of_several_outputs_the_right_ones_are_told() -> None:
    inputs = normal(4, 3), normal(4, 3, seed=1)
    findings = crosscheck(SumAndProduct, SumAndProduct.forward, inputs, thorough=False).findings
    told = {each.argument: each.evidence for each in findings}
    assert (
        "the gradient of output 1 alone is wrong, and what comes of that of output 0" in told["x"]
    )


def test_a_difference_of_low_rank_is_a_sum() -> None:
    w, v = normal(8, seed=1), normal(8, seed=2)
    m = normal(8, 8, seed=3)
    whole = m + torch.outer(w, v)
    candidate = of_x(lambda x: whole @ x, lambda g, x: m.T @ g)
    (finding,) = crosscheck(candidate, lambda x: whole @ x, (normal(8),)).findings
    assert finding.cause == "missing-term"
    assert (
        "what is missing is one weighted sum over grad_output, spread over x by" in finding.evidence
    )
