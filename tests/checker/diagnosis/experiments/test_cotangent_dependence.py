"""What of grad_output enters a gradient: claimed only where changing the rest changes nothing."""

import pytest
import torch

from tests.checker.given import causes, normal, of_x
from tests.corpora.wrong_ops.rule import Rule
from torchref import crosscheck


def square_hearing(heard) -> type[Rule]:
    """x², whose backward hears of grad_output what is named."""
    return of_x(torch.square, lambda grad_y, x: 2 * x * heard(grad_y))


@pytest.mark.parametrize("reference", [torch.square, None], ids=["beside", "alone"])
@pytest.mark.parametrize(
    ("heard", "told"),
    [
        (
            torch.mean,
            ("only its sum enters: with all else changed the same comes back; where all",),
        ),
        (
            lambda g: g[0, 0] / 3,
            (
                "only its first entry enters",
                "where all entries are equal it is 0.333333 times the true one",
            ),
        ),
        (lambda g: g.mean(1, keepdim=True), ("only its sums over dimension 1 enter",)),
        (lambda g: g[:, -1:], ("only its last slice along dimension 1 enters",)),
        (lambda g: 1, ("the same gradient comes back for all ones",)),
    ],
    ids=["sum", "first entry", "rows", "last column", "nothing"],
)
def test_what_enters_alone(heard, told: tuple[str, ...], reference) -> None:
    (finding, *_) = crosscheck(square_hearing(heard), reference, (normal(4, 3),)).findings
    assert finding.cause == "ignores-grad-output"
    assert all(part in finding.evidence for part in told)


def test_the_largest_entry_is_not_mistaken_for_the_first() -> None:
    first, *more = crosscheck(square_hearing(torch.max), torch.square, (normal(4, 3),)).findings
    assert first.cause == "not-linear-in-grad-output"
    assert "only its largest entry enters" in more[0].evidence


PERMUTED = [2, 0, 1, 4, 3, 5]


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
    "an upsampling": (lambda x: x.repeat_interleave(2, 1), lambda g, x: (g + g.roll(1, 1))[:, ::2]),
    "a running sum": (lambda x: x.cumsum(1), lambda g, x: g.cumsum(1)),
}


@pytest.mark.parametrize("called", ALL_ENTERS)
def test_where_every_entry_enters_nothing_is_ignored(called: str) -> None:
    forward, gradients = ALL_ENTERS[called]
    report = crosscheck(of_x(forward, gradients), forward, (normal(6, 4),))
    assert causes(report)
    assert not {"ignores-grad-output", "missing-term"} & set(causes(report)), str(report)


def test_one_factor_under_every_cotangent_is_a_factor() -> None:
    candidate = of_x(lambda x: x.sum(0), lambda g, x: (g / 5).expand(x.shape))
    (finding,) = crosscheck(candidate, lambda x: x.sum(0), (normal(5, 3),)).findings
    assert finding.cause == "constant-factor"
