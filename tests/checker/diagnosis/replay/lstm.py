"""An LSTM cell by hand, whose backward can be given one mistake."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.corpora.wrong_ops.rule import Rule, gradients_of

NAMES = ("x", "h", "c", "weight", "recurrent", "bias")
PARTS = ("i", "f", "g", "o")


def forward(x, h, c, weight, recurrent, bias):
    i, f, g, o = (x @ weight + h @ recurrent + bias).chunk(4, 1)
    i = torch.sigmoid(i)
    f = torch.sigmoid(f)
    g = torch.tanh(g)
    o = torch.sigmoid(o)
    c = f * c + i * g
    return o * torch.tanh(c), c


def backward(
    grad_h: Tensor, grad_c: Tensor, inputs: tuple[Tensor, ...], mistake: Callable[..., Any]
) -> tuple[Tensor, ...]:
    """`mistake` receives what every step has and gives, by name, and may change what is given."""
    x, h, c, weight, recurrent, bias = inputs
    i, f, g, o = (x @ weight + h @ recurrent + bias).chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    after = f * c + i * g
    s = {"i": i, "f": f, "g": g, "o": o, "c": c, "after": after, "t": after.tanh()}
    s |= {"grad_c": grad_c, "dt": grad_h * o, "do": grad_h * s["t"], "t′": 1 - s["t"] ** 2}
    s |= mistake("cell", s)
    dc = s["grad_c"] + s["dt"] * s["t′"]
    s |= {"di": dc * g, "df": dc * c, "dg": dc * i, "dc": dc * f, "δc": dc}
    s |= {"i′": i * (1 - i), "f′": f * (1 - f), "g′": 1 - g**2, "o′": o * (1 - o)}
    s |= mistake("gates", s)
    dz = [s[f"d{part}"] * s[f"{part}′"] for part in PARTS]
    dz = torch.cat([dz[place] for place in s.get("order", range(4))], 1)
    return dz @ weight.mT, dz @ recurrent.mT, s["dc"], x.mT @ dz, h.mT @ dz, dz.sum(0)


def cell(mistake: Callable[..., Any] = lambda step, s: {}) -> type[Rule]:
    @gradients_of(forward)
    def Cell(grad_h, grad_c, *inputs):
        return backward(grad_h, grad_c, inputs, mistake)

    return Cell
