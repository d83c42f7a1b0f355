"""Lengths that are no multiple of the block."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals

BLOCK = 4


def scan(decay, x):
    """h[t] = decay[t] h[t - 1] + x[t] along the first dimension, from h = 0."""
    state, states = torch.zeros_like(x[:1]), []
    for step in range(len(x)):
        state = decay[step : step + 1] * state + x[step : step + 1]
        states.append(state)
    return torch.cat(states) if states else x * decay


class Scan(SavesInputs):
    """A linear recurrence; backward is the same scan from the end."""

    @staticmethod
    def forward(decay, x):
        return scan(decay, x)

    @staticmethod
    def backward(ctx, grad_y):
        decay, x = ctx.saved_tensors
        next_decay = torch.cat([decay[1:], torch.zeros_like(decay[:1])])
        grad_x = scan(next_decay.flip(0), grad_y.flip(0)).flip(0)
        return scan_gradients(decay, x, grad_x)


def scan_gradients(decay, x, grad_x):
    states = scan(decay, x)
    previous = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    return grad_x * previous, grad_x


class ScanWithPaddingThatIsNotNeutral(Scan):
    """The last block is filled up with its last lane, and the filling takes part in the scan."""

    @staticmethod
    def backward(ctx, grad_y):
        decay, x = ctx.saved_tensors
        padding = -len(x) % BLOCK
        grad_padded = torch.cat([grad_y, *[grad_y[-1:]] * padding])
        next_decay = torch.cat([decay[1:], *[decay[-1:]] * padding, torch.zeros_like(decay[:1])])
        grad_x = scan(next_decay.flip(0), grad_padded.flip(0)).flip(0)[: len(x)]
        return scan_gradients(decay, x, grad_x)


class Sine(SavesInputs):
    """y = sin x."""

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.cos()


class SineOfWholeBlocks(Sine):
    """The grid is rounded down: the tail of an empty buffer is never written."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x = torch.empty_like(grad_y)
        written = len(grad_y) - len(grad_y) % BLOCK
        grad_x[:written] = Sine.backward(ctx, grad_y)[:written]
        return grad_x


class SineOfZeroedBlocks(Sine):
    """The grid is rounded down, and the tail of a zeroed buffer stays zero."""

    @staticmethod
    def backward(ctx, grad_y):
        written = len(grad_y) - len(grad_y) % BLOCK
        grad_blocks = Sine.backward(ctx, grad_y)[:written]
        return torch.cat([grad_blocks, torch.zeros_like(grad_y[written:])])


class MeanOfBlocks(SavesInputs):
    """y = mean of every block of four rows, the last one shorter."""

    @staticmethod
    def forward(x):
        return torch.stack([block.mean(0) for block in x.split(BLOCK)])

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        lengths = torch.tensor([len(block) for block in x.split(BLOCK)])
        shares = grad_y / lengths.reshape(-1, *[1] * (grad_y.dim() - 1))
        return shares.repeat_interleave(lengths, 0)


class MeanOfFullBlocks(MeanOfBlocks):
    """The short last block is divided by the full block size."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return (grad_y / BLOCK).repeat_interleave(BLOCK, 0)[: len(x)]


class CausalSum(SavesInputs):
    """y[t] = Σ weight[t - s] x[s] over the last window of steps, padded with zeros."""

    @staticmethod
    def forward(x, weight):
        return F.conv1d(F.pad(x, (weight.shape[-1] - 1, 0)), weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        padded = F.pad(x, (weight.shape[-1] - 1, 0))
        grad_padded = F.conv_transpose1d(grad_y, weight)
        windows = padded.unfold(-1, weight.shape[-1], 1)
        grad_weight = torch.einsum("not,nitk->oik", grad_y, windows)
        return grad_padded[..., weight.shape[-1] - 1 :], grad_weight


class CausalSumCuttingTheWrongEnd(CausalSum):
    """Backward cuts the padding from the end, where there is none."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        _, grad_weight = CausalSum.backward(ctx, grad_y)
        return F.conv_transpose1d(grad_y, weight)[..., : x.shape[-1]], grad_weight


def steps(length):
    def draw(generator):
        return leaf(normal(generator, length, 3).sigmoid()), normal(generator, length, 3)

    return draw


def block_means(x):
    return torch.stack([block.mean(0) for block in x.split(BLOCK)])


BUGS = (
    PlantedBug(
        name="scan lets its padding take part",
        wrong=ScanWithPaddingThatIsNotNeutral,
        right=Scan,
        reference=scan,
        ordinary=steps(8),
        tripping=steps(7),
        causes=("wrong-elements", "missing-term"),
        source="state-spaces/mamba#368",
    ),
    PlantedBug(
        name="sine never writes the tail of an empty buffer",
        wrong=SineOfWholeBlocks,
        right=Sine,
        reference=torch.sin,
        ordinary=normals((8, 3)),
        tripping=normals((7, 3)),
        causes=("uninitialised-memory", "wrong-elements"),
        source="OpenNLPLab/lightning-attention#28",
        behavioural=True,
    ),
    PlantedBug(
        name="sine leaves the tail at zero",
        wrong=SineOfZeroedBlocks,
        right=Sine,
        reference=torch.sin,
        ordinary=normals((8, 5)),
        tripping=normals((11, 5)),
        causes=("wrong-elements",),
        source="OpenNLPLab/lightning-attention#27",
    ),
    PlantedBug(
        name="block mean divides a short block by the full size",
        wrong=MeanOfFullBlocks,
        right=MeanOfBlocks,
        reference=block_means,
        ordinary=normals((8, 3)),
        tripping=normals((10, 3)),
        causes=("wrong-elements",),
        source="a short last block",
    ),
    PlantedBug(
        name="causal sum cuts its padding from the wrong end",
        wrong=CausalSumCuttingTheWrongEnd,
        right=CausalSum,
        reference=lambda x, weight: F.conv1d(F.pad(x, (weight.shape[-1] - 1, 0)), weight),
        ordinary=normals((2, 3, 7), (4, 3, 5)),
        tripping=normals((2, 3, 7), (4, 3, 5)),
        causes=("missing-term", "wrong-elements"),
        source="padding cut from the wrong end",
    ),
)
