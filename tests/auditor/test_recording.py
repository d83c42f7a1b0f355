"""What is kept of a program's calls: few of each, within a bound, and nothing alive for longer."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

import torchref
from tests.auditor.right_ones import Doubling, Power, Swish, TwoOutputs
from torchref.auditor.recording.kept_call import bytes_of, copied
from torchref.auditor.recording.recorder import MOST_CLASSES


def leaf(*shape: int) -> Tensor:
    return torch.randn(shape, requires_grad=True)


def test_few_distinct_calls_are_kept_and_all_are_counted() -> None:
    with torchref.audit(calls=2) as audit:
        for size in (3, 3, 3, 4, 5, 6):
            Swish.apply(leaf(size)).sum().backward()
    seen = audit.seen["Swish"]
    assert seen.calls == 6
    assert [tuple(call.args[0].shape) for call in seen.kept] == [(3,), (4,)]


@pytest.mark.parametrize(
    "second",
    [
        lambda: Power.apply(leaf(3), 3.0),
        lambda: Power.apply(leaf(3).double(), 2.0),
        lambda: Power.apply(leaf(6)[::2], 2.0),
        lambda: Power.apply(leaf(3), exponent=2.0),
    ],
    ids=["value", "dtype", "stride", "keyword"],
)
def test_calls_are_distinct_that_differ_in(second: Any) -> None:
    with torchref.audit() as audit:
        Power.apply(leaf(3), 2.0)
        Power.apply(leaf(3), 2.0)
        second()
    assert len(audit.seen["Power"].kept) == 2


def test_arguments_are_those_from_before_the_forward() -> None:
    x = leaf(3)
    expected = (3 * x).detach()
    with torchref.audit() as audit:
        Doubling.apply(3 * x).sum().backward()
    assert torch.equal(audit.seen["Doubling"].kept[0].args[0], expected)


def test_which_arguments_required_grad_is_kept() -> None:
    with torchref.audit() as audit:
        sum(TwoOutputs.apply(leaf(3), torch.randn(3))).sum().backward()
    (row,) = audit.report().rows
    assert audit.seen["TwoOutputs"].kept[0].requires_grad == (True, False)
    assert row.verdict == "right"


def test_the_bound_on_memory_holds() -> None:
    with torchref.audit(memory=4000) as audit:
        Swish.apply(leaf(1000)).sum()
        Power.apply(leaf(20), 2.0).sum().backward()
        Swish.apply(leaf(2)).sum().backward()
    assert audit.recorder.used <= 4000
    assert len(audit.seen["Swish"].kept) == 1
    row = {row.name: row for row in audit.report().rows}["Power"]
    assert row.verdict == "cannot tell"
    assert row.note == "not checked: its tensors are larger than memory= leaves room for (1 call)"


def test_further_calls_leave_room_for_the_first_of_others() -> None:
    with torchref.audit(memory=4000, calls=10) as audit:
        for size in range(100, 110):
            Swish.apply(leaf(size))
        Power.apply(leaf(200), 2.0)
    assert len(audit.seen["Power"].kept) == 1
    assert 1 < len(audit.seen["Swish"].kept) < 10
    assert sum(call.bytes for seen in audit.seen.values() for call in seen.kept) <= 4000


def test_cotangents_that_do_not_fit_are_left_out() -> None:
    with torchref.audit(memory=500) as audit:
        Swish.apply(leaf(100)).square().sum().backward()
    assert audit.seen["Swish"].kept[0].cotangents is None
    assert audit.report().verdict == "right"


def test_the_graph_of_the_program_lives_no_longer() -> None:
    with torchref.audit() as audit:
        x = leaf(3)
        y = Swish.apply(x)
        references = weakref.ref(x), weakref.ref(y), weakref.ref(y.grad_fn)
        y.sum().backward()
        del x, y
    gc.collect()
    assert [each() for each in references] == [None] * 3
    assert audit.report().verdict == "right"


def test_a_class_that_is_made_anew_in_each_step_is_one_function() -> None:
    def step(x: Tensor) -> Tensor:
        class Negated(Function):
            @staticmethod
            def forward(ctx, x):
                return -x

            @staticmethod
            def backward(ctx, grad_y):
                return -grad_y

        return Negated.apply(x)

    with torchref.audit() as audit:
        for _ in range(MOST_CLASSES + 4):
            step(leaf(2)).sum().backward()
    (row,) = audit.report().rows
    assert (row.calls, row.verdict) == (MOST_CLASSES + 4, "right")
    assert "its class was made 20 times: the first 16 were checked" in row.note


def test_names_are_told_apart_where_they_have_to_be() -> None:
    def made(module: str) -> type[Function]:
        body = {"forward": Swish.forward, "backward": Swish.backward, "__module__": module}
        return type(Function)("Same", (Function,), body)

    with torchref.audit() as audit:
        for module in ("first", "second"):
            made(module).apply(leaf(2))
    assert list(audit.seen) == ["first.Same", "second.Same"]


def test_tensors_without_numbers_are_not_kept() -> None:
    with torchref.audit() as audit:
        Swish.apply(torch.empty(3, device="meta", requires_grad=True))
    (row,) = audit.report().rows
    assert row.verdict == "cannot tell"
    assert "tensors without numbers" in row.note


def test_a_forward_that_raises_is_not_kept() -> None:
    with torchref.audit() as audit, pytest.raises(TypeError):
        Power.apply(leaf(3), "two")
    assert audit.seen["Power"].kept == []
    assert audit.recorder.used == 0


def test_without_a_gradient_nothing_is_kept() -> None:
    class Largest(Function):
        @staticmethod
        def forward(ctx, x):
            index = x.argmax()
            ctx.mark_non_differentiable(index)
            return index

    with torchref.audit() as audit:
        with torch.no_grad():
            Swish.apply(leaf(3))
        Power.apply(torch.ones(3), 2.0)
        Largest.apply(leaf(3))
    report = audit.report()
    assert [row.verdict for row in report.rows] == ["not checked"] * 3
    assert report.verdict == "cannot tell"


def test_it_is_bounded_by_whole_numbers() -> None:
    with pytest.raises(torchref.InputError, match="calls must be a whole number of at least 1"):
        torchref.audit(calls=0)
    with pytest.raises(torchref.InputError, match="memory must be"):
        torchref.audit(memory=1.5)


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(4, 3).T,
        torch.randn(1, 3).expand(4, 3),
        torch.randn(9).as_strided((4, 3), (2, 1)),
        torch.randn(3, 3, dtype=torch.complex64).T.conj(),
        torch.randn(0, 3).T,
        torch.randn(1000)[::500],
        torch.randn(3, 3).to_sparse(),
    ],
    ids=["transposed", "expanded", "overlapping", "conjugated", "empty", "far apart", "sparse"],
)
def test_copies_have_values_and_strides(x: Tensor) -> None:
    copy = copied(x)
    assert torch.equal(copy.to_dense(), x.to_dense())
    if x.layout is torch.strided:
        assert copy.stride() == x.stride()
        assert copy.is_conj() == x.is_conj()
        assert copy.untyped_storage().nbytes() <= bytes_of(x)
        assert copy.data_ptr() != x.data_ptr() or x.numel() == 0
