"""Recurrences: cells and their sweep through time, linear ones, and running sums."""

from torchref.ops.recurrent.cumulative_sum import CumulativeSum
from torchref.ops.recurrent.gru import GRU, GRUCell
from torchref.ops.recurrent.linear_recurrence import LinearRecurrence
from torchref.ops.recurrent.lstm import LSTM, LSTMCell
from torchref.ops.recurrent.lstm_cell_steps import lstm_cell_steps
from torchref.ops.recurrent.rnn import RNN, RNNCell

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "CumulativeSum",
    "GRUCell",
    "LSTMCell",
    "LinearRecurrence",
    "RNNCell",
    "lstm_cell_steps",
]
