"""What is particular to recurrences; the catalogue's tests hold for them too."""

from functools import partial

import pytest
import torch
from torch import Tensor

from tests.ops.catalogue_cases import (
    SAMPLES,
    TRIPPING,
    Case,
    gradients,
    normal_like,
    planted,
    tensors,
)
from tests.ops.closeness import assert_close_in_float64
from tests.ops.test_first_order import assert_seen
from tests.random_inputs import seeded
from torchref.catalogue import CATALOGUE
from torchref.catalogue.entry import normal
from torchref.ops import (
    GRU,
    LSTM,
    RNN,
    CumulativeSum,
    GRUCell,
    LinearRecurrence,
    LSTMCell,
    Op,
    RNNCell,
    lstm_cell_steps,
)
from torchref.ops.recurrent import gru, lstm
from torchref.ops.recurrent.recurrence import gradients_of_all, gradients_of_one

CELLS = {LSTM: LSTMCell, GRU: GRUCell, RNN: RNNCell}
GRADIENTS = "grad_x", "grad_state", "grad_weight", "grad_bias"


def of(op: type, kind: list[Case]) -> list[Case]:
    return [case for case in kind if case.entry.op is op]


def assert_steps_give_what_the_collapsed_form_gives(case: Case) -> None:
    inputs = case.inputs()
    y, collapsed = gradients(case.entry.op.call, inputs)
    gone_through = lstm_cell_steps(*inputs, normal_like(y, seed=1))
    assert_close_in_float64(gone_through.y, y)
    stepwise = (getattr(gone_through, name) for name in GRADIENTS)
    for mine, its in zip(collapsed, (grad for grad in stepwise if grad is not None), strict=True):
        largest = max([1.0, *(grad.abs().max().item() for grad in collapsed if grad.numel())])
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-12 * largest)


@pytest.mark.parametrize("case", of(LSTMCell, SAMPLES + TRIPPING), ids=str)
def test_the_collapsed_cell_is_the_one_of_many_steps(case: Case) -> None:
    assert_steps_give_what_the_collapsed_form_gives(case)


@pytest.mark.parametrize("case", of(LSTMCell, SAMPLES), ids=str)
def test_each_step_is_what_autograd_finds_there(case: Case) -> None:
    """Each intermediate is moved by itself, and the rest of the forward run from there."""
    x, state, weight, bias = case.inputs()
    cotangent = normal_like(state, seed=1)
    steps = lstm_cell_steps(x, state, weight, bias, cotangent)
    now, c = steps._asdict(), state.chunk(2, -1)[1]

    def end(h: Tensor, c: Tensor) -> Tensor:
        return (torch.cat((h, c), -1) * cotangent).sum()

    def from_c(next_c: Tensor) -> Tensor:
        return end(steps.output_gate * next_c.tanh(), next_c)

    def from_gates(gates: Tensor) -> Tensor:
        i, f, g, o = gates.chunk(4, -1)
        next_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return end(o.sigmoid() * next_c.tanh(), next_c)

    rest = {
        "output_gate": lambda o: end(o * steps.read, steps.next_c),
        "read": lambda read: end(steps.output_gate * read, steps.next_c),
        "next_c": from_c,
        "forget_gate": lambda f: from_c(f * c + steps.input_gate * steps.candidate),
        "input_gate": lambda i: from_c(steps.forget_gate * c + i * steps.candidate),
        "candidate": lambda g: from_c(steps.forget_gate * c + steps.input_gate * g),
        "gates": from_gates,
    }
    outermost = {"grad_c", "grad_h", "grad_weight", "grad_bias"}
    assert {f"grad_{name}" for name in rest} | outermost == {
        name for name in now if name.startswith("grad_")
    }
    for name, of_it in rest.items():
        expected = torch.func.grad(of_it)(now[name])
        torch.testing.assert_close(now[f"grad_{name}"], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layer", CELLS)
def test_a_sweep_is_its_cell_again_and_again(layer: type[Op]) -> None:
    x, state, *others = CATALOGUE[layer.__name__].samples(seeded(0))[0]

    def step_by_step(x: Tensor, state: Tensor, *others: object) -> Tensor:
        seen = []
        for each in x:
            state = CELLS[layer].call(each, state, *others)
            seen.append(state)
        return torch.stack(seen)

    y, mine = gradients(layer.call, (x, state, *others))
    y_of_loop, of_loop = gradients(step_by_step, (x, state, *others))
    torch.testing.assert_close(y, y_of_loop, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(mine, of_loop, rtol=1e-12, atol=1e-13)


def with_step(op: type[Op], step: object) -> type[Op]:
    """The op with another step in its backward."""
    rule = gradients_of_all if op in CELLS else gradients_of_one
    changed = {"backward": staticmethod(lambda ctx, grad_y: rule(step, ctx, grad_y))}
    return type("Wrong", (op,), changed)


def lost_through_the_output(slopes: tuple[Tensor, ...], grad_h: Tensor, grad_c: Tensor) -> object:
    """c′ reaches the loss by h′ too."""
    return lstm.retreat((*slopes[:5], torch.zeros_like(slopes[5])), grad_h, grad_c)


def lost_on_the_way(slopes: tuple[Tensor, ...], grad_h: Tensor, grad_c: Tensor) -> object:
    """The cell state before is forgotten."""
    grad_x, grad_u, (_, kept) = lstm.retreat(slopes, grad_h, grad_c)
    return grad_x, grad_u, (None, torch.zeros_like(kept))


def gates_swapped(slopes: tuple[Tensor, ...], grad_h: Tensor, grad_c: Tensor) -> object:
    of_i, of_f, *others = slopes
    return lstm.retreat((of_f, of_i, *others), grad_h, grad_c)


def reset_gate_forgotten(slopes: tuple[Tensor, ...], grad_h: Tensor) -> object:
    """u_n is multiplied by r, as x_n is not."""
    grad_x, _, kept = gru.retreat(slopes, grad_h)
    return grad_x, grad_x, kept


def state_not_kept(slopes: tuple[Tensor, ...], grad_h: Tensor) -> object:
    grad_x, grad_u, _ = gru.retreat(slopes, grad_h)
    return grad_x, grad_u, (None,)


MISTAKES = [
    *((LSTM, lstm, rule) for rule in (lost_through_the_output, lost_on_the_way, gates_swapped)),
    *((GRU, gru, rule) for rule in (reset_gate_forgotten, state_not_kept)),
]


@pytest.mark.parametrize(("layer", "room", "retreat"), MISTAKES)
def test_a_mistake_in_a_step_is_seen(layer: type[Op], room: object, retreat: object) -> None:
    for op in (layer, CELLS[layer]):
        case = planted(with_step(op, room.STEP._replace(retreat=retreat)))
        assert_seen(case)
        if op is LSTMCell:
            with pytest.raises(AssertionError, match="not close"):
                assert_steps_give_what_the_collapsed_form_gives(case)


def test_a_gate_that_is_nearly_open_keeps_the_digits_of_its_slope() -> None:
    """σ′(a) = σ(a) σ(−a), where σ (1 − σ) has none left."""
    x = torch.tensor([0.0, 40.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    state = torch.tensor([0.0, 0.5], dtype=torch.float64)
    y = LSTMCell.call(x, state, torch.zeros(4, 1, dtype=torch.float64), None)
    (grad_x,) = torch.autograd.grad(y[1], x)
    expected = 0.5 * torch.exp(torch.tensor(-40.0, dtype=torch.float64))
    torch.testing.assert_close(grad_x[1], expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("large", [torch.inf, -torch.inf, 1e300, -1e300])
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_there_is_no_nan_where_torch_has_none(name: str, large: float) -> None:
    entry = CATALOGUE[name]
    for place in range(4):
        for cotangent in (0.0, 1.0, 1e300):
            inputs = list(entry.samples(seeded(0))[0])
            inputs[place].view(-1)[1] = large
            leaves = [x.requires_grad_() for x in tensors(tuple(inputs))]
            mine, torchs = (
                (y, *torch.autograd.grad(y, leaves, torch.full_like(y, cotangent)))
                for y in (entry.op.call(*inputs), entry.twin(*inputs))
            )
            for one, its in zip(mine, torchs, strict=True):
                assert not (one.isnan() & ~its.isnan()).any()


@pytest.mark.parametrize("times", [1, 2, 3, 7, 8, 64])
def test_the_parallel_form_is_the_loop(times: int) -> None:
    inputs = normal(seeded(0), times, 3), normal(seeded(1), times, 3), normal(seeded(2), 3)
    (y, mine), (y_of_loop, of_loop) = (
        gradients(partial(call, parallel), inputs) for parallel in (True, False)
    )
    torch.testing.assert_close(y, y_of_loop, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine, of_loop, rtol=1e-12, atol=1e-12)


def call(parallel: bool, *inputs: Tensor) -> Tensor:
    return LinearRecurrence.call(*inputs, 0, parallel)


def test_with_weights_of_one_it_is_the_running_sum() -> None:
    x = normal(seeded(0), 5, 3)
    y = LinearRecurrence.call(x, torch.ones_like(x), None, 0, False)
    torch.testing.assert_close(y, CumulativeSum.call(x, 0), rtol=1e-14, atol=1e-14)


def test_a_first_weight_without_a_state_has_no_part() -> None:
    x, weight = normal(seeded(0), 5, 3), normal(seeded(1), 5, 3)
    weight[0] = torch.nan
    for parallel in (False, True):
        leaf = weight.clone().requires_grad_()
        y = LinearRecurrence.call(x, leaf, None, 0, parallel)
        (grad_weight,) = torch.autograd.grad(y.sum(), leaf)
        assert y.isfinite().all()
        assert grad_weight.isfinite().all()
        assert grad_weight[0].count_nonzero() == 0
