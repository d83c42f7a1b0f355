"""Recurrent cells, and layers of them over time."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.rnn import RNNBase, RNNCellBase
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from torchref import functional
from torchref.functional.admission import require
from torchref.functional.recurrent.kinds import State
from torchref.functional.recurrent.stack import Setting, stacked


class OverTime(RNNBase):
    """What recurrent layers of all kinds do: batches, single sequences, and packed ones.

    Packed sequences are padded on the way in and packed again on the way out. What padding gives
    is left out, and has no part in any gradient.
    """

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        self._update_flat_weights()
        if isinstance(input, PackedSequence):
            return self.of_packed(input, hx)
        require(
            input.dim() in (2, 3),
            f"{self.mode}: Expected input to be 2D or 3D, (time, batch, features)",
            f"it is {input.dim()}D",
            "A single sequence is (time, features).",
        )
        alone = input.dim() == 2
        batch = 0 if self.batch_first else 1
        if alone:
            input = input.unsqueeze(batch)
        state = self.begin(hx, input, input.shape[batch])
        for part in state if hx is not None else ():
            require(
                part.dim() == (2 if alone else 3),
                f"{self.mode}: hx of an input of {2 if alone else 3}D should also be "
                f"{2 if alone else 3}-D",
                f"it is {part.dim()}-D",
                "It has a batch dimension where input has one, and after that of layers.",
            )
        if alone and hx is not None:
            state = tuple(part.unsqueeze(1) for part in state)
        self.check_forward_args(input, self.as_torchs(state), None)
        y, end = self.run(input, state, self.batch_first)
        if alone:
            y, end = y.squeeze(batch), tuple(part.squeeze(1) for part in end)
        return y, self.as_torchs(end)

    def of_packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, batch_sizes, in_order, back = input
        if hx is not None:
            hx = self.permute_hidden(hx, in_order)
        state = self.begin(hx, data, int(batch_sizes[0]))
        self.check_forward_args(data, self.as_torchs(state), batch_sizes)
        sorted_as_it_is = PackedSequence(data, batch_sizes)
        padded, lengths = pad_packed_sequence(sorted_as_it_is)
        y, end = self.run(padded, state, False, lengths.to(data.device))
        packed = pack_padded_sequence(y, lengths)
        of_all = PackedSequence(packed.data, batch_sizes, in_order, back)
        return of_all, self.permute_hidden(self.as_torchs(end), back)

    def begin(self, hx: Any, like: Tensor, batch: int) -> State:
        """hx in its parts, or zeros."""
        if hx is not None:
            return tuple(hx) if self.mode == "LSTM" else (hx,)
        layers = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size]
        if self.mode == "LSTM":
            sizes.append(self.hidden_size)
        return tuple(like.new_zeros(layers, batch, size) for size in sizes)

    def as_torchs(self, state: State) -> Any:
        return state if self.mode == "LSTM" else state[0]

    def run(
        self, input: Tensor, state: State, batch_first: bool, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        setting = Setting(
            self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, batch_first
        )
        parameters: Any = self._flat_weights
        name = self.mode.lower()
        return stacked(name, input, self.as_torchs(state), parameters, setting, lengths)


class RNN(OverTime, torch.nn.RNN):
    """`RNNCell` over time; see `torchref.functional.rnn_tanh` and `functional.rnn_relu`."""


class LSTM(OverTime, torch.nn.LSTM):
    """Layers of `LSTMCell` over time; see `torchref.functional.lstm`."""


class GRU(OverTime, torch.nn.GRU):
    """Layers of `GRUCell` over time; see `torchref.functional.gru`."""


class OneStep(RNNCellBase):
    """What the cells share: their parameters, and that states begin with zeros."""

    def zeros(self, input: Tensor) -> Tensor:
        return input.new_zeros(*input.shape[:-1], self.hidden_size)

    def parameters_in_order(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh


class RNNCell(OneStep, torch.nn.RNNCell):
    """One step; see `torchref.functional.rnn_tanh_cell` and `functional.rnn_relu_cell`."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        cells = {"tanh": functional.rnn_tanh_cell, "relu": functional.rnn_relu_cell}
        require(
            self.nonlinearity in cells,
            "RNNCell: nonlinearity must be 'tanh' or 'relu'",
            f"{self.nonlinearity!r} arrived",
            "It is 'tanh' by default.",
        )
        state = self.zeros(input) if hx is None else hx
        return cells[self.nonlinearity](input, state, *self.parameters_in_order())


class LSTMCell(OneStep, torch.nn.LSTMCell):
    """One step with gates and a cell state; see `torchref.functional.lstm_cell`."""

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        state = (self.zeros(input), self.zeros(input)) if hx is None else hx
        return functional.lstm_cell(input, state, *self.parameters_in_order())


class GRUCell(OneStep, torch.nn.GRUCell):
    """One step with gates; see `torchref.functional.gru_cell`."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        state = self.zeros(input) if hx is None else hx
        return functional.gru_cell(input, state, *self.parameters_in_order())
