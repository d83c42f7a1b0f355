"""The figures of docs/more_digits.md: relative errors beside 60 digits of mpmath."""

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import mpmath
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import torchref.functional as R

PAGE = (Path(__file__).parents[2] / "docs" / "more_digits.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(.+?)` \| (value|slope) \| (float\d\d) \| (\S+) \| (\S+) \| (\S+) \|$", re.M
)
ROWS = ROW.findall(PAGE.replace("−", "-"))

CUBIC = mpmath.mpf(0.044715)  # as it is read into float64


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


TRUTH: dict[str, Callable] = {
    "cross_entropy": lambda x: mpmath.log1p(mpmath.exp(-x)),
    "log_softmax": lambda x: -mpmath.log1p(mpmath.exp(-x)),
    "logsumexp": lambda x: mpmath.log(mpmath.exp(x) + mpmath.exp(1000)),
    "attention": lambda x: x / 3,
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu tanh": lambda x: x * sigmoid(2 * mpmath.sqrt(2 / mpmath.pi) * (x + CUBIC * x**3)),
    "glu": sigmoid,
    "gru_cell": sigmoid,
    "hardsigmoid": lambda x: (x + 3) / 6,
    "lstm_cell": sigmoid,
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "tanh": mpmath.tanh,
}


def of_hidden_keys(attention: Callable[..., Tensor], x: Tensor) -> Tensor:
    """The values are x, 0 and 0, and a mask of −1e9 leaves their weights equal."""
    value = torch.cat((x, x.new_zeros(2))).reshape(1, 1, 3, 1)
    zeros, mask = torch.zeros_like(value), torch.full((1, 3), -1e9, dtype=x.dtype)
    return attention(zeros[..., :1, :], zeros, value, mask).reshape(1)


def of(library: ModuleType, name: str) -> Callable[[Tensor], Tensor]:
    if name == "attention":
        return lambda x: of_hidden_keys(library.scaled_dot_product_attention, x)
    if name == "gelu tanh":
        return lambda x: library.gelu(x, approximate="tanh")
    if name == "glu":  # of the value 1, in its gate
        return lambda gate: library.glu(torch.stack((torch.ones_like(gate), gate)), 0).squeeze(0)
    if name == "cross_entropy":  # of the logits x and 0, for the first
        return lambda x: library.cross_entropy(torch.cat((x, torch.zeros_like(x))), torch.tensor(0))
    if name == "log_softmax":
        return lambda x: library.log_softmax(torch.cat((x, torch.zeros_like(x))), 0)[0]
    if name == "logsumexp":
        of_both = library.logsumexp if library is R else torch.logsumexp
        return lambda x: of_both(torch.cat((x, torch.full_like(x, 1000))), 0)
    if name in ("gru_cell", "lstm_cell"):
        return partial(kept, getattr(R if library is R else torch, name))
    if name == "softplus" and library is R:
        return lambda x: R.softplus(x, threshold=math.inf)
    return getattr(library, name)


def kept(cell: Callable[..., Tensor | tuple[Tensor, ...]], x: Tensor) -> Tensor:
    """What a cell keeps of a state of 1 where its candidate is 0, by the gate that is x."""
    gates = 4 if cell.__name__ == "lstm_cell" else 3
    one, zero = torch.ones(1, 1, dtype=x.dtype), torch.zeros(1, dtype=x.dtype)
    inputs = torch.cat((zero, x, *(gates - 2) * (zero,))).unsqueeze(0)
    state = (one, one) if gates == 4 else one
    weights = torch.eye(gates, dtype=x.dtype), torch.zeros(gates, 1, dtype=x.dtype)
    y = cell(inputs, state, *weights)
    return (y[1] if isinstance(y, tuple) else y).squeeze(0)


def relative_error(library: ModuleType, name: str, kind: str, dtype: str, x: float) -> float:
    leaf = torch.tensor([x], dtype=getattr(torch, dtype), requires_grad=True)
    y = of(library, name)(leaf)
    (slope,) = torch.autograd.grad(y, leaf, torch.ones_like(y))
    with mpmath.workdps(60):
        at = mpmath.mpf(leaf.item())
        true = TRUTH[name](at) if kind == "value" else mpmath.diff(TRUTH[name], at)
        return float(abs((y if kind == "value" else slope).item() - true) / abs(true))


def test_the_page_has_rows() -> None:
    assert {row[0] for row in ROWS} == set(TRUTH)


@pytest.mark.parametrize(("name", "kind", "dtype", "x", "torchs", "ours"), ROWS)
def test_a_row(name: str, kind: str, dtype: str, x: str, torchs: str, ours: str) -> None:
    """Ours is no worse than is written, and torch's, on its own kernels, no better by much."""
    eps = torch.finfo(getattr(torch, dtype)).eps
    mine, its = (relative_error(library, name, kind, dtype, float(x)) for library in (R, F))
    assert mine <= max(1.5 * float(ours), 2 * eps)
    assert its >= float(torchs) / 2
