"""Recurrent cells under the signatures of `torch.lstm_cell`, `torch.gru_cell` and so on."""

from collections.abc import Sequence

import torch
from torch import Tensor

from torchref.functional.admission import autocast_off, cast, require, shape
from torchref.functional.recurrent.kinds import (
    KINDS,
    Weights,
    admitted,
    lowered,
    named,
    require_state,
    require_weights,
    result_dtype,
)
from torchref.ops import Affine


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """h′ and c′ of one step, as `torch.lstm_cell`; see `torchref.ops.LSTMCell`.

    Shapes: input (N, I) or (I), hx two tensors (N, H) or (H), w_ih (4H, I), w_hh (4H, H), biases
    (4H).

    >>> x, h, c = torch.ones(1), torch.zeros(1), torch.tensor([0.5])
    >>> lstm_cell(x, (h, c), torch.zeros(4, 1), torch.zeros(4, 1))
    (tensor([0.1225]), tensor([0.2500]))
    """
    h, c = one_step("lstm", input, hx, w_ih, w_hh, b_ih, b_hh)
    return h, c


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """h′ of one step, as `torch.gru_cell`; see `torchref.ops.GRUCell`.

    Shapes: input (N, I) or (I), hx (N, H) or (H), w_ih (3H, I), w_hh (3H, H), biases (3H).

    >>> gru_cell(torch.ones(1), torch.tensor([0.5]), torch.zeros(3, 1), torch.zeros(3, 1))
    tensor([0.2500])
    """
    return one_step("gru", input, hx, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """tanh(W_ih x + b_ih + W_hh h + b_hh), as `torch.rnn_tanh_cell`; see `torchref.ops.RNNCell`.

    Shapes: input (N, I) or (I), hx (N, H) or (H), w_ih (H, I), w_hh (H, H), biases (H).

    >>> rnn_tanh_cell(torch.ones(1), torch.ones(1), torch.ones(1, 1), torch.zeros(1, 1))
    tensor([0.7616])
    """
    return one_step("rnn_tanh", input, hx, w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """max(W_ih x + b_ih + W_hh h + b_hh, 0), as `torch.rnn_relu_cell`; see `torchref.ops.RNNCell`.

    Shapes as those of `rnn_tanh_cell`.

    >>> rnn_relu_cell(torch.ones(1), torch.ones(1), torch.ones(1, 1), torch.ones(1, 1))
    tensor([2.])
    """
    return one_step("rnn_relu", input, hx, w_ih, w_hh, b_ih, b_hh)[0]


def one_step(
    name: str, input: Tensor, hx: object, w_ih: Tensor, w_hh: Tensor, *biases: Tensor | None
) -> tuple[Tensor, ...]:
    """The state after it, in its parts."""
    kind, op = KINDS[name], f"{name}_cell"
    state, weights = require_state(op, kind, hx), Weights(w_ih, w_hh, *biases)
    admitted(op, input, state, weights)
    require(
        input.dim() in (1, 2) and input.dim() == state[0].dim(),
        f"{op}: input must be (N, in) and hx (N, hidden), or both without N",
        f"they have {shape(input)} and {shape(state[0])}",
        "A sequence goes to the layer, or step by step.",
    )
    features, hidden = input.shape[-1], state[0].shape[-1]
    for part, tensor in named(state).items():
        require(
            tensor.shape == (*input.shape[:-1], hidden),
            f"{op}: {part} must have a row of {hidden} for each row of input",
            f"it has shape {shape(tensor)} and input {shape(input)}",
            "Expand it, or begin with zeros.",
        )
    require(
        w_hh.dim() == 2 and w_hh.shape[0] == kind.gates * hidden,
        f"{op}: w_hh must have {kind.gates} rows for each entry of the hidden state",
        f"it has shape {shape(w_hh)} and the hidden state {shape(state[0])}",
        f"It is ({kind.gates} · hidden, hidden).",
    )
    require_weights(op, kind, features, hidden, weights)
    dtype = result_dtype(op, input, state[0])
    x, (w_ih, w_hh, b_ih, b_hh, _) = lowered(input, weights)
    with autocast_off(input):
        before = torch.cat(cast(torch.float32, state), -1)
        y = kind.cell.call(Affine.call(x, w_ih, b_ih), before, w_hh, b_hh, *kind.options)
    return tuple(part.to(dtype) for part in y.chunk(kind.parts, -1))
