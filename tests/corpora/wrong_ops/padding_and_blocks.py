"""Lengths that are no multiple of the block."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .planted import at, wrong_backward
from .right_rules import Sin
from .rule import gradients_of

BLOCK = 4


def scan(decay, x):
    """h[t] = decay[t] h[t - 1] + x[t] along the first dimension, from h = 0."""
    state, states = torch.zeros_like(x[:1]), []
    for step in range(len(x)):
        state = decay[step : step + 1] * state + x[step : step + 1]
        states.append(state)
    return torch.cat(states) if states else x * decay


@gradients_of(scan)
def Scan(grad_y, decay, x):
    """A linear recurrence; backward is the same scan from the end."""
    next_decay = torch.cat([decay[1:], torch.zeros_like(decay[:1])])
    grad_x = scan(next_decay.flip(0), grad_y.flip(0)).flip(0)
    return scan_gradients(decay, x, grad_x)


def scan_gradients(decay, x, grad_x):
    states = scan(decay, x)
    previous = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    return grad_x * previous, grad_x


def steps(length):
    def draw(generator):
        return leaf(normal(generator, length, 3).sigmoid()), normal(generator, length, 3)

    return draw


@wrong_backward(Scan, "wrong-elements", "missing-term", source="state-spaces/mamba#368")
@at(steps(8), tripping=steps(7))
def scan_lets_its_padding_take_part(grad_y, decay, x):
    """The last block is filled up with its last lane, and the filling takes part in the scan."""
    padding = -len(x) % BLOCK
    grad_padded = torch.cat([grad_y, *[grad_y[-1:]] * padding])
    next_decay = torch.cat([decay[1:], *[decay[-1:]] * padding, torch.zeros_like(decay[:1])])
    grad_x = scan(next_decay.flip(0), grad_padded.flip(0)).flip(0)[: len(x)]
    return scan_gradients(decay, x, grad_x)


@wrong_backward(
    Sin,
    "uninitialised-memory",
    "wrong-elements",
    source="OpenNLPLab/lightning-attention#28",
    behavioural=True,
)
@at(normals((8, 3)), tripping=normals((7, 3)))
def sine_never_writes_the_tail_of_an_empty_buffer(grad_y, x):
    """The grid is rounded down: the tail of an empty buffer is never written."""
    grad_x = torch.empty_like(grad_y)
    written = len(grad_y) - len(grad_y) % BLOCK
    grad_x[:written] = Sin.gradients(grad_y, x)[:written]
    return grad_x


@wrong_backward(Sin, "wrong-elements", source="OpenNLPLab/lightning-attention#27")
@at(normals((8, 5)), tripping=normals((11, 5)))
def sine_leaves_the_tail_at_zero(grad_y, x):
    """The grid is rounded down, and the tail of a zeroed buffer stays zero."""
    written = len(grad_y) - len(grad_y) % BLOCK
    grad_blocks = Sin.gradients(grad_y, x)[:written]
    return torch.cat([grad_blocks, torch.zeros_like(grad_y[written:])])


@gradients_of(lambda x: torch.stack([block.mean(0) for block in x.split(BLOCK)]))
def MeanOfBlocks(grad_y, x):
    """y = mean of every block of four rows, the last one shorter."""
    lengths = torch.tensor([len(block) for block in x.split(BLOCK)])
    shares = grad_y / lengths.reshape(-1, *[1] * (grad_y.dim() - 1))
    return shares.repeat_interleave(lengths, 0)


@wrong_backward(MeanOfBlocks, "wrong-elements", source="a short last block")
@at(normals((8, 3)), tripping=normals((10, 3)))
def block_mean_divides_a_short_block_by_the_full_size(grad_y, x):
    """The short last block is divided by the full block size."""
    return (grad_y / BLOCK).repeat_interleave(BLOCK, 0)[: len(x)]


@gradients_of(lambda x, weight: F.conv1d(F.pad(x, (weight.shape[-1] - 1, 0)), weight))
def CausalSum(grad_y, x, weight):
    """y[t] = Σ weight[t - s] x[s] over the last window of steps, padded with zeros."""
    padded = F.pad(x, (weight.shape[-1] - 1, 0))
    grad_padded = F.conv_transpose1d(grad_y, weight)
    windows = padded.unfold(-1, weight.shape[-1], 1)
    grad_weight = torch.einsum("not,nitk->oik", grad_y, windows)
    return grad_padded[..., weight.shape[-1] - 1 :], grad_weight


@wrong_backward(
    CausalSum, "missing-term", "wrong-elements", source="padding cut from the wrong end"
)
@at(normals((2, 3, 7), (4, 3, 5)))
def causal_sum_cuts_its_padding_from_the_wrong_end(grad_y, x, weight):
    """Backward cuts the padding from the end, where there is none."""
    _, grad_weight = CausalSum.gradients(grad_y, x, weight)
    return F.conv_transpose1d(grad_y, weight)[..., : x.shape[-1]], grad_weight
