"""What of grad_output enters a gradient: claimed only where changing the rest changes nothing."""

import pytest
import torch

from tests.checker.given.functions import gradients_in
from tests.checker.given.runs import normal
from tests.corpora.wrong_ops.rule import Rule, gradients_of
from torchref import crosscheck


class Square(Rule):
    @staticmethod
    def forward(x):
        return x * x


def square(x):
    return x * x


@gradients_in(Square)
def SumAlone(grad_y, x):
    return 2 * x * grad_y.mean()


@gradients_in(Square)
def FirstAlone(grad_y, x):
    return 2 * x * grad_y[0, 0] / 3


@gradients_in(Square)
def LargestAlone(grad_y, x):
    return 2 * x * grad_y.max()


@gradients_in(Square)
def RowsAlone(grad_y, x):
    return 2 * x * grad_y.mean(1, keepdim=True)


@gradients_in(Square)
def LastColumnAlone(grad_y, x):
    return 2 * x * grad_y[:, -1:]


@gradients_in(Square)
def Nothing(grad_y, x):
    return 2 * x


@pytest.mark.parametrize("reference", [square, None], ids=["beside", "alone"])
@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (SumAlone, "only its sum enters: with all else changed the same comes back; where all"),
        (FirstAlone, "only its first entry enters"),
        (FirstAlone, "where all entries are equal it is 0.333333 times the true one"),
        (RowsAlone, "only its sums over dimension 1 enter"),
        (LastColumnAlone, "only its last slice along dimension 1 enters"),
        (Nothing, "the same gradient comes back for all ones"),
    ],
)
def test_what_enters_alone(candidate, told, reference) -> None:
    (finding, *_) = crosscheck(candidate, reference, (normal(4, 3),)).findings
    assert finding.cause == "ignores-grad-output"
    assert told in finding.evidence


def test_the_largest_entry_is_not_mistaken_for_the_first() -> None:
    first, *more = crosscheck(LargestAlone, square, (normal(4, 3),)).findings
    assert first.cause == "not-linear-in-grad-output"
    assert "only its largest entry enters" in more[0].evidence


PERMUTED = [2, 0, 1, 4, 3, 5]


def op(function, gradients):
    """A Function of one argument x, with the gradients given."""

    @gradients_of(lambda x: function(x))
    def Op(grad_y, x):
        return gradients(grad_y, x)

    return Op


ALL_ENTERS = {
    "a roll": (lambda x: x.roll(1, 0), lambda g, x: g.roll(1, 0)),
    "a permutation": (lambda x: x[PERMUTED], lambda g, x: g[PERMUTED]),
    "pixel shuffle": (
        lambda x: torch.nn.functional.pixel_shuffle(x.reshape(1, 4, 3, 2), 2),
        lambda g, x: g.reshape(6, 4),
    ),
    "a transform": (
        lambda x: torch.view_as_real(torch.fft.fft(x)),
        lambda g, x: torch.fft.fft(torch.view_as_complex(g.contiguous())).real,
    ),
    "an upsampling": (
        lambda x: x.repeat_interleave(2, 1),
        lambda g, x: (g + g.roll(1, 1))[:, ::2],
    ),
    "a running sum": (lambda x: x.cumsum(1), lambda g, x: g.cumsum(1)),
}


@pytest.mark.parametrize("called", ALL_ENTERS)
def test_where_every_entry_enters_nothing_is_ignored(called: str) -> None:
    forward, gradients = ALL_ENTERS[called]
    findings = crosscheck(op(forward, gradients), forward, (normal(6, 4),)).findings
    causes = {finding.cause for finding in findings}
    assert causes
    assert not causes & {"ignores-grad-output", "missing-term"}, findings


def test_one_factor_under_every_cotangent_is_a_factor() -> None:
    candidate = op(lambda x: x.sum(0), lambda g, x: (g / 5).expand(x.shape))
    (finding,) = crosscheck(candidate, lambda x: x.sum(0), (normal(5, 3),)).findings
    assert finding.cause == "constant-factor"
