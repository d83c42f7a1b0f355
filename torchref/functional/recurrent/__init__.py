"""Recurrent cells, layers of them over time, linear recurrences, and running sums."""

from torchref.functional.recurrent.cells import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from torchref.functional.recurrent.layers import gru, lstm, rnn_relu, rnn_tanh
from torchref.functional.recurrent.scans import cumsum, linear_recurrence

__all__ = [
    "cumsum",
    "gru",
    "gru_cell",
    "linear_recurrence",
    "lstm",
    "lstm_cell",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
]
