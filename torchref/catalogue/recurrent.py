"""Recurrent cells and their sweeps through time, linear recurrences, and running sums."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from torchref.catalogue.entry import Entry, Inputs, normal
from torchref.ops import (
    GRU,
    LSTM,
    RNN,
    CumulativeSum,
    GRUCell,
    LinearRecurrence,
    LSTMCell,
    RNNCell,
)

Draw = Callable[[Generator], tuple[Inputs, ...]]
Cell = Callable[..., Tensor]


def _of_torch(
    cell: Callable[..., Tensor | tuple[Tensor, ...]],
    x: Tensor,
    state: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    parts: int,
) -> Tensor:
    """torch's cell of rows; with the identity for a weight it takes x for the inputs' share."""
    identity = torch.eye(len(weight), dtype=x.dtype, device=x.device)
    rows, before = x.reshape(-1, x.shape[-1]), state.reshape(-1, state.shape[-1]).chunk(parts, -1)
    no_bias = bias if bias is None else torch.zeros_like(bias)
    y = cell(rows, before if parts > 1 else before[0], identity, weight, no_bias, bias)
    return (torch.cat(y, -1) if isinstance(y, tuple) else y).reshape(state.shape)


def lstm_cell_twin(x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return _of_torch(torch.lstm_cell, x, state, weight, bias, parts=2)


def gru_cell_twin(x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return _of_torch(torch.gru_cell, x, state, weight, bias, parts=1)


def rnn_cell_twin(
    x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None, nonlinearity: str
) -> Tensor:
    cell = {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}[nonlinearity]
    return _of_torch(cell, x, state, weight, bias, parts=1)


def through_time(cell: Cell, x: Tensor, state: Tensor, *others: object) -> Tensor:
    """The states of a loop over the cell; torch's layers tell c of the last step alone."""
    seen = []
    for each in x.unbind(0):
        state = cell(each, state, *others)
        seen.append(state)
    return torch.stack(seen)


def lstm_twin(x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return through_time(lstm_cell_twin, x, state, weight, bias)


def gru_twin(x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return through_time(gru_cell_twin, x, state, weight, bias)


def rnn_twin(
    x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None, nonlinearity: str
) -> Tensor:
    return through_time(rnn_cell_twin, x, state, weight, bias, nonlinearity)


def _inputs(
    g: Generator, leading: tuple[int, ...], time: tuple[int, ...], gates: int, parts: int
) -> Inputs:
    """x, state, weight and bias of a hidden size of 2."""
    x, state = normal(g, *time, *leading, 2 * gates), normal(g, *leading, 2 * parts)
    return x, state, normal(g, 2 * gates, 2), normal(g, 2 * gates)


def _samples(time: tuple[int, ...], gates: int, parts: int, *options: Inputs) -> Draw:
    def draw(g: Generator) -> tuple[Inputs, ...]:
        x, state, weight, _ = _inputs(g, (5,), time, gates, parts)
        return tuple(
            (*inputs, *option)
            for option in options or ((),)
            for inputs in (
                _inputs(g, (5,), time, gates, parts),
                (x, state, weight, None),
                _inputs(g, (), time, gates, parts),
            )
        )

    return draw


def _tripping(time: tuple[int, ...], gates: int, parts: int, *options: Inputs) -> Draw:
    def draw(g: Generator) -> tuple[Inputs, ...]:
        x, state, weight, bias = _inputs(g, (5,), time, gates, parts)
        size = 2 * gates
        strided = normal(g, *time, size, 5).mT if time else normal(g, size, 5).T
        one_time = (1,) if time else ()
        # Where all gates are saturated torch's gradients have no digits to compare with.
        one_row = torch.eye(5, dtype=torch.float64)[0].unsqueeze(1)
        drawn = (
            (x + 40 * one_row * x, state, weight, bias),
            (x, state + 1e3 * one_row * state, weight, bias),
            (torch.zeros_like(x), torch.zeros_like(state), weight, torch.zeros_like(bias)),
            _inputs(g, (0,), time, gates, parts),
            _inputs(g, (1,), one_time, gates, parts),
            (strided, normal(g, 2 * parts, 5).T, normal(g, 2, size).T, normal(g, 2 * size)[::2]),
            (x, normal(g, 1, 2 * parts).expand(5, -1), weight, normal(g, 1).expand(size)),
        )
        return tuple(
            (*inputs, *(options[number % len(options)] if options else ()))
            for number, inputs in enumerate(drawn)
        )

    return draw


BOTH = (("tanh",), ("relu",))


def _entry(op: type, twin: Cell, time: tuple[int, ...], gates: int, parts: int) -> Entry:
    options = BOTH if gates == 1 else ()
    drawn = (draw(time, gates, parts, *options) for draw in (_samples, _tripping))
    return Entry(op, twin, *drawn)


def linear_recurrence_twin(
    x: Tensor, weight: Tensor, state: Tensor | None, dim: int, _parallel: bool
) -> Tensor:
    """A loop over autograd's own products: torch has no scan of its own."""
    y, seen = state, []
    for x_t, weight_t in zip(x.unbind(dim), weight.unbind(dim), strict=True):
        y = weight_t * (torch.zeros_like(x_t) if y is None else y) + x_t
        seen.append(y)
    if not seen:
        return x + weight if state is None else x + weight * state.unsqueeze(dim)
    return torch.stack(seen, dim)


def _linear_recurrence_samples(g: Generator) -> tuple[Inputs, ...]:
    return (
        (normal(g, 5, 3), normal(g, 5, 3), normal(g, 3), 0, False),
        (normal(g, 2, 7, 3), normal(g, 2, 7, 3), normal(g, 2, 3), 1, True),
        (normal(g, 3, 6), normal(g, 3, 6), None, -1, True),
        (normal(g, 4), normal(g, 4), None, 0, False),
    )


def _linear_recurrence_tripping(g: Generator) -> tuple[Inputs, ...]:
    x, weight, state = normal(g, 5, 3), normal(g, 5, 3), normal(g, 3)
    return tuple(
        (*inputs, parallel)
        for parallel in (False, True)
        for inputs in (
            (x, torch.zeros_like(weight), state, 0),
            (x, -torch.ones_like(weight), state, 0),
            (1e100 * x, 1e-30 * weight, 1e100 * state, 0),
            (normal(g, 1, 3), normal(g, 1, 3), state, 0),
            (normal(g, 0, 3), normal(g, 0, 3), state, 0),
            (normal(g, 5, 0), normal(g, 5, 0), normal(g, 0), 0),
            (normal(g, 5, 3).T, normal(g, 1, 5).expand(3, 5), normal(g, 6)[::2], 1),
        )
    )


def _cumulative_sum_samples(g: Generator) -> tuple[Inputs, ...]:
    return ((normal(g, 5, 3), 0), (normal(g, 2, 3, 4), -2), (normal(g, 7), -1), (normal(g), 0))


def _cumulative_sum_tripping(g: Generator) -> tuple[Inputs, ...]:
    cancelling = torch.tensor([1e16, 1.0, -1e16, 1.0], dtype=torch.float64)
    return (
        (cancelling, 0),
        (normal(g, 0, 3), 0),
        (normal(g, 5, 0), 0),
        (normal(g, 1), 0),
        (normal(g, 3, 5).T, 1),
        (normal(g, 1).expand(4), 0),
    )


CELLS, LAYERS = (), (3,)  # how many times there are
ENTRIES = (
    _entry(RNNCell, rnn_cell_twin, CELLS, 1, 1),
    _entry(LSTMCell, lstm_cell_twin, CELLS, 4, 2),
    _entry(GRUCell, gru_cell_twin, CELLS, 3, 1),
    _entry(RNN, rnn_twin, LAYERS, 1, 1),
    _entry(LSTM, lstm_twin, LAYERS, 4, 2),
    _entry(GRU, gru_twin, LAYERS, 3, 1),
    Entry(
        LinearRecurrence,
        linear_recurrence_twin,
        _linear_recurrence_samples,
        _linear_recurrence_tripping,
    ),
    Entry(CumulativeSum, torch.cumsum, _cumulative_sum_samples, _cumulative_sum_tripping),
)
