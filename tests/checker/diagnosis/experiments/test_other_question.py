"""A wrong gradient that is the right answer to another question."""

import pytest
import torch
import torch.nn.functional as F

from tests.checker.given import normal, of_x, seeded
from tests.corpora.wrong_ops.rule import gradients_of
from torchref import crosscheck
from torchref.checker.diagnosis.experiments import other_question as questions


def complex_normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.complex128)


def test_a_complex_factor_that_is_not_conjugated() -> None:
    @gradients_of(lambda z, w: z * w)
    def Product(grad_y, z, w):
        return grad_y * w, grad_y * z.conj()

    inputs = complex_normal(4, 3), complex_normal(4, 3, seed=1)
    (finding, *_) = crosscheck(Product, torch.mul, inputs).findings
    assert (finding.cause, finding.argument) == ("sign-flipped", "z")
    assert "for w conjugated" in finding.evidence


def padded(x: torch.Tensor) -> torch.Tensor:
    """Two zeros before each row and one behind it."""
    return F.pad(x.sin(), (2, 1))


BESIDE_AND_ALONE = pytest.mark.parametrize("beside", [True, False], ids=["beside", "alone"])


@BESIDE_AND_ALONE
@pytest.mark.parametrize(
    ("read", "cause", "told"),
    [
        (lambda g: g[:, 1:-2], "wrong-elements", "grad_output moved by +1 along 1"),
        (lambda g: g.flip(1)[:, 2:-1], "transposed", "grad_output flipped along (1,)"),
    ],
)
def test_a_grad_output_read_at_the_wrong_place(read, cause, told, beside) -> None:
    wrong = of_x(padded, lambda grad_y, x: read(grad_y) * x.cos())
    report = crosscheck(wrong, padded if beside else None, (normal(4, 6),))
    assert report.findings[0].cause == cause
    assert told in report.findings[0].evidence


@gradients_of(lambda x, kernel: F.conv2d(x, kernel, padding=1))
def Convolution(grad_y, x, kernel):
    turned = kernel.flip(2, 3)
    return (
        torch.nn.grad.conv2d_input(x.shape, turned, grad_y, padding=1),
        torch.nn.grad.conv2d_weight(x, kernel.shape, grad_y, padding=1),
    )


@BESIDE_AND_ALONE
def test_a_kernel_that_is_not_turned(beside) -> None:
    inputs = (normal(2, 3, 6, 5), normal(4, 3, 3, 3, seed=1))
    report = crosscheck(Convolution, Convolution.forward if beside else None, inputs)
    assert (report.findings[0].cause, report.findings[0].argument) == ("transposed", "x")
    assert "for kernel flipped along (2, 3)" in report.findings[0].evidence


Repeated = of_x(lambda x: x.repeat_interleave(2, -1), lambda grad_y, x: grad_y[..., ::2])


@BESIDE_AND_ALONE
def test_one_output_of_each_input_asked(beside) -> None:
    report = crosscheck(Repeated, Repeated.forward if beside else None, (normal(3, 6),))
    assert report.findings[0].cause == "missing-reduction"
    assert "only the slices 0, 2, … of grad_output along dimension 1" in str(report)


def test_of_many_elements_only_the_likelier_questions_are_asked(monkeypatch) -> None:
    monkeypatch.setattr(questions, "MANY", 10)
    report = crosscheck(Repeated, Repeated.forward, (normal(3, 6),), thorough=False)
    assert "only the slices" not in str(report)


@pytest.mark.parametrize("index", [[0, 2, 2], [2, 2, 2], [0, 0, 3]])
def test_rows_that_an_index_repeats_are_told_before_the_slices_that_are_left(index) -> None:
    @gradients_of(lambda table, index: table[index])
    def Overwrites(grad_y, table, index):
        return torch.zeros_like(table).index_copy(0, index, grad_y), None

    rows = torch.tensor(index)
    report = crosscheck(Overwrites, lambda table, index: table[index], (normal(4, 3), rows))
    assert report.findings[0].cause == "wrong-elements", str(report)
    assert "missing-reduction" not in str(report)
    assert "rows that index names" in report.findings[0].evidence
