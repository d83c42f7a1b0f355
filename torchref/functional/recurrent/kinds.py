"""The recurrent cells that there are, what may come into them, and what comes out of autocast."""

from typing import NamedTuple, cast

import torch
from torch import Tensor

from torchref.functional import admission
from torchref.functional.admission import (
    autocasts,
    given,
    require,
    require_real_tensors,
    require_same_kind,
    require_tensor,
    shape,
    to_autocast_dtype,
)
from torchref.ops import GRU, LSTM, RNN, GRUCell, LSTMCell, Op, RNNCell

State = tuple[Tensor, ...]  # h, and for an LSTM c


class Kind(NamedTuple):
    """A cell and what it becomes over time; how many gates it has, and parts of a state."""

    cell: type[Op]
    layer: type[Op]
    gates: int
    parts: int = 1
    options: tuple[str, ...] = ()


KINDS = {
    "lstm": Kind(LSTMCell, LSTM, 4, 2),
    "gru": Kind(GRUCell, GRU, 3),
    "rnn_tanh": Kind(RNNCell, RNN, 1, options=("tanh",)),
    "rnn_relu": Kind(RNNCell, RNN, 1, options=("relu",)),
}


class Weights(NamedTuple):
    """Of one layer in one direction; w_hr is the projection of an LSTM."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor | None = None
    b_hh: Tensor | None = None
    w_hr: Tensor | None = None


def named(state: State) -> dict[str, Tensor]:
    names = ("hx",) if len(state) == 1 else ("hx[0]", "hx[1]")
    return dict(zip(names, state, strict=True))


def require_state(op: str, kind: Kind, hx: object) -> State:
    """hx in its parts."""
    if kind.parts == 1:
        require_tensor(op, "hx", hx)
        return (cast(Tensor, hx),)
    require(
        isinstance(hx, (tuple, list)) and len(hx) == 2,
        f"{op}: hx must be two tensors, the hidden state and the cell state",
        f"a {type(hx).__name__} arrived" if not isinstance(hx, (tuple, list)) else f"{len(hx)} did",
        "Pass (h, c).",
    )
    h, c = cast(State, hx)
    require_tensor(op, "hx[0]", h)
    require_tensor(op, "hx[1]", c)
    return h, c


def admitted(op: str, input: Tensor, state: State, *weights: Weights) -> None:
    """All of them tensors of one dtype, which autocast may make different, and one device."""
    tensors = {"input": input, **named(state)}
    require_real_tensors(op, **tensors)
    for each in weights:
        parameters = given(**each._asdict())
        require_real_tensors(op, **parameters)
        if not autocasts(input):
            require_same_kind(op, **tensors, **parameters)


def require_weights(op: str, kind: Kind, features: int, outputs: int, weights: Weights) -> None:
    """Of a cell with so many features in its input and its output."""
    hidden = weights.w_hh.shape[0] // kind.gates if weights.w_hh.dim() else 0
    gates = kind.gates * hidden
    wanted = {
        "w_ih": (gates, features),
        "w_hh": (gates, outputs),
        "b_ih": (gates,),
        "b_hh": (gates,),
        "w_hr": (outputs, hidden),
    }
    for name, parameter in given(**weights._asdict()).items():
        require(
            parameter.shape == wanted[name],
            f"{op}: {name} must have shape {wanted[name]}, for {features} features of the input "
            f"and {outputs} of the hidden state",
            f"it has shape {shape(parameter)}",
            f"The first dimension holds {kind.gates} gates one after the other.",
        )


def result_dtype(name: str, input: Tensor, h: Tensor) -> torch.dtype:
    """That of input. Autocast makes it its own; on a CPU gates, not plain cells, promote with h."""
    if not autocasts(input) or input.dtype == torch.float64:
        return input.dtype
    low = torch.get_autocast_dtype(input.device.type)
    promotes = name not in ("lstm", "rnn_tanh", "rnn_relu", "rnn_tanh_cell", "rnn_relu_cell")
    return torch.promote_types(low, h.dtype) if promotes and not input.is_cuda else low


def lowered(input: Tensor, weights: Weights) -> tuple[Tensor, Weights]:
    """In autocast's dtype, and computed in float32 at least."""
    tensors = admission.cast(torch.float32, to_autocast_dtype(input, *weights))
    return tensors[0], Weights(*tensors[1:])
