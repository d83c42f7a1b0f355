"""Layers upon layers of a recurrence, in one direction or both, over sequences of any lengths."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from torchref.functional.admission import autocast_off, cast, require, shape
from torchref.functional.indexing import dropout as dropped_out
from torchref.functional.recurrent.kinds import (
    KINDS,
    Kind,
    State,
    Weights,
    admitted,
    lowered,
    named,
    require_state,
    require_weights,
    result_dtype,
)
from torchref.ops import Affine


class Setting(NamedTuple):
    """What torch's functions take after params, in their order."""

    has_biases: bool
    num_layers: int
    dropout: float
    train: bool
    bidirectional: bool
    batch_first: bool

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1


def stacked(
    name: str,
    input: Tensor,
    hx: object,
    params: Sequence[Tensor],
    setting: Setting,
    lengths: Tensor | None = None,
) -> tuple[Tensor, State]:
    """The outputs, and the states at the end: of sequences of the given lengths, padded at theirs.

    Padding comes out as anything: whoever gives lengths leaves it out.
    """
    kind, state = KINDS[name], require_state(name, KINDS[name], hx)
    weights = weights_of(name, state, params, setting)
    admitted(name, input, state, *weights)
    require_fitting(name, input, state, setting)
    x = input.transpose(0, 1) if setting.batch_first else input
    dtype = result_dtype(name, x, state[0])
    state = cast(torch.float32, state)
    ends = []
    for layer in range(setting.num_layers):
        if layer > 0 and setting.dropout > 0:
            x = dropped_out(x, setting.dropout, setting.train)
        ways = []
        for direction in range(setting.directions):
            number = layer * setting.directions + direction
            begin = tuple(part[number] for part in state)
            require_weights(name, kind, x.shape[-1], begin[0].shape[-1], weights[number])
            y, end = over_time(kind, x, begin, weights[number], direction == 1, lengths)
            ways.append(y.to(dtype))
            ends.append(end)
        x = torch.cat(ways, -1)
    y = x.transpose(0, 1) if setting.batch_first else x
    return y, tuple(torch.stack(parts).to(dtype) for parts in zip(*ends, strict=True))


def over_time(
    kind: Kind, x: Tensor, state: State, weights: Weights, backwards: bool, lengths: Tensor | None
) -> tuple[Tensor, State]:
    """The outputs of one layer in one direction, and its state at the end."""
    x, (w_ih, w_hh, b_ih, b_hh, w_hr) = lowered(x, weights)
    with autocast_off(x):
        if backwards:
            x = turned(x, lengths)
        gates = Affine.call(x, w_ih, b_ih)
        if w_hr is not None:
            # h is an affine map of what is before the projection, but for the h to begin with.
            h, c = state
            first = gates[:1] + Affine.call(h, w_hh, None)
            gates, w_hh = torch.cat((first, gates[1:])), Affine.call(w_hh, w_hr.T, None)
            state = torch.zeros_like(c), c
        seen = kind.layer.call(gates, torch.cat(state, -1), w_hh, b_hh, *kind.options)
        y, *others = seen.chunk(kind.parts, -1)
        if w_hr is not None:
            y = Affine.call(y, w_hr, None)
        end = tuple(at_the_end(part, lengths) for part in (y, *others))
        return turned(y, lengths) if backwards else y, end


def at_the_end(part: Tensor, lengths: Tensor | None) -> Tensor:
    if lengths is None:
        return part[-1]
    return part[lengths - 1, torch.arange(len(lengths), device=part.device)]


def turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Each sequence from its end to its beginning, and padding where it was."""
    if lengths is None:
        return x.flip(0)
    time = torch.arange(len(x), device=x.device).unsqueeze(1)
    source = torch.where(time < lengths, lengths - 1 - time, time)
    return x[source, torch.arange(len(lengths), device=x.device)]


def weights_of(
    op: str, state: State, params: Sequence[Tensor], setting: Setting
) -> tuple[Weights, ...]:
    """The parameters of each layer and direction, in torch's order."""
    projects = op == "lstm" and state[0].shape[-1] != state[1].shape[-1]
    each = 2 + 2 * setting.has_biases + projects
    wanted = each * setting.num_layers * setting.directions
    require(
        len(params) == wanted,
        f"{op}: params must be {each} for each layer and direction, {wanted} together",
        f"{len(params)} arrived",
        "They are w_ih, w_hh, with has_biases b_ih and b_hh, and w_hr where h is projected.",
    )
    found = []
    for first in range(0, wanted, each):
        w_ih, w_hh, *biases = params[first : first + each]
        w_hr = biases.pop() if projects else None
        b_ih, b_hh = biases or (None, None)
        found.append(Weights(w_ih, w_hh, b_ih, b_hh, w_hr))
    return tuple(found)


def require_fitting(op: str, input: Tensor, state: State, setting: Setting) -> None:
    time, batch = (1, 0) if setting.batch_first else (0, 1)
    require(
        input.dim() == 3 and input.shape[time] > 0,
        f"{op}: input must be (time, batch, features), or with batch_first (batch, time, "
        "features), of one time or more",
        f"it has shape {shape(input)}",
        "One sequence alone takes unsqueeze(1), or unsqueeze(0) with batch_first.",
    )
    wanted = (setting.num_layers * setting.directions, input.shape[batch])
    for name, part in named(state).items():
        require(
            part.dim() == 3 and part.shape[:2] == wanted,
            f"{op}: {name} must have shape {(*wanted, 'hidden')}: layers times directions, batch",
            f"it has shape {shape(part)}",
            "batch_first does not move it.",
        )
