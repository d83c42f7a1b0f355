"""Fresh leaves of the same layout, cotangents without a small entry, real and complex."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import case_of, normal, seeded
from torchref.checker.execution.arithmetic import draw_signed, inner, precision
from torchref.checker.execution.subject import as_subject
from torchref.checker.execution.tape import Tape, copy_layout, evaluate

COMPLEX = torch.complex(normal(3, 4), normal(3, 4, seed=1))


def tape_of(function, *inputs: Tensor) -> Tape:
    return Tape(as_subject(function), case_of(function, *inputs))


@pytest.mark.parametrize(
    "x",
    [
        normal(4, 3),
        normal(4, 3).T,
        normal(4, 6)[:, 1::2],
        normal(1, 3).expand(4, 3),
        normal(5)[3],
        normal(0, 3),
        COMPLEX.conj(),
        COMPLEX.conj().mT,
        COMPLEX.conj().imag,
    ],
    ids=[
        *("contiguous", "transposed", "strided", "expanded", "scalar", "empty"),
        *("conjugate", "adjoint", "negative"),
    ],
)
def test_a_copy_has_the_values_and_strides_and_memory_of_its_own(x: Tensor) -> None:
    copy = copy_layout(x)
    assert torch.equal(copy, x)
    assert copy.stride() == x.stride()
    if x.numel():
        assert copy.untyped_storage().data_ptr() != x.untyped_storage().data_ptr()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_drawn_entries_are_neither_small_nor_of_one_sign(dtype: torch.dtype) -> None:
    drawn = draw_signed(torch.empty(200, dtype=dtype), seeded(0))
    assert drawn.dtype is dtype
    assert 0.49 < float(drawn.abs().min()) < float(drawn.abs().max()) <= 1.5
    assert 50 < int((drawn > 0).sum()) < 150
    assert len(drawn.unique()) > 50


def test_drawn_complex_entries_move_in_both_parts() -> None:
    drawn = draw_signed(torch.empty(50, dtype=torch.complex128), seeded(0))
    assert float(drawn.real.abs().min()) >= 0.5
    assert float(drawn.imag.abs().min()) >= 0.5


def test_the_inner_product_is_real_for_complex_tensors() -> None:
    a, b = torch.tensor([1 + 2j, 3j]), torch.tensor([2 - 1j, 1 + 1j])
    assert inner(a, b) == pytest.approx(float((a.conj() * b).sum().real))
    assert inner(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])) == 11


def test_the_coarsest_precision_counts() -> None:
    tensors = [normal(3), normal(3).bfloat16(), torch.arange(3)]
    assert precision(tensors) == torch.finfo(torch.bfloat16).eps
    assert precision([torch.arange(3)]) == torch.finfo(torch.float64).eps


def test_gradients_of_the_outputs_that_have_a_cotangent() -> None:
    tape = tape_of(lambda x: (x**2, x.argmax(), x.sum()), normal(3))
    cotangents = tape.draw_cotangents(seeded(0))
    assert set(cotangents) == {0, 2}
    (both,) = tape.gradients(cotangents)
    torch.testing.assert_close(both, 2 * normal(3) * cotangents[0] + cotangents[2])
    (one,) = tape.gradients({2: cotangents[2]})
    torch.testing.assert_close(one, cotangents[2].expand(3))


def test_an_argument_that_takes_no_part_has_none() -> None:
    tape = tape_of(lambda x, y: x * 2, normal(3), normal(4))
    assert tape.gradients({0: normal(3)})[1] is None


def test_gradients_are_of_copies_so_that_a_backward_may_write_into_them() -> None:
    tape = tape_of(torch.sin, normal(3))
    tape.outputs[0].register_hook(lambda grad: grad.mul_(0))
    cotangent = normal(3)
    tape.gradients({0: cotangent})
    assert torch.equal(cotangent, normal(3))


def test_an_evaluation_leaves_no_tape_and_draws_the_same_numbers() -> None:
    def dropout(x: Tensor) -> Tensor:
        return torch.nn.functional.dropout(x, 0.5)

    case = case_of(dropout, normal(50))
    (first,), (second,) = (evaluate(as_subject(dropout), case, case.leaves) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert torch.equal(first, tape_of(dropout, normal(50)).outputs[0])


def test_a_sparse_gradient_is_what_it_stands_for() -> None:
    """As that of an embedding: rows named twice are added up."""
    weight, index = normal(5, 3), torch.tensor([0, 2, 2])

    def rows(weight, index):
        return torch.nn.functional.embedding(index, weight, sparse=True)

    tape = tape_of(rows, weight, index)
    cotangent = normal(3, 3, seed=1)
    (grad,) = tape.gradients({0: cotangent})
    assert grad.layout is torch.strided
    assert torch.equal(grad, torch.zeros_like(weight).index_add(0, index, cotangent))
