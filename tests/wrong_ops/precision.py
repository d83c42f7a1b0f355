"""Right on paper, lost in rounding."""

import torch

from .planted import PlantedBug, SavesInputs, leaf, normal, normals

CHUNK = 2


class ProjectRows(SavesInputs):
    """y = x @ weight, grad_weight summed at once and in at least single precision."""

    @staticmethod
    def forward(x, weight):
        return torch.mm(x, weight)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        return grad_y @ weight.t(), x.t() @ grad_y


class ProjectRowsInChunks(ProjectRows):
    """grad_weight is accumulated over chunks of rows in the dtype of weight."""

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        grad_weight = torch.zeros_like(weight)
        for x_chunk, grad_chunk in zip(x.split(CHUNK), grad_y.split(CHUNK), strict=True):
            grad_weight = grad_weight + x_chunk.t() @ grad_chunk
        return grad_y @ weight.t(), grad_weight


class LogSumExp(SavesInputs):
    """y = log Σ exp x over the last dimension."""

    @staticmethod
    def forward(x):
        return x.logsumexp(-1)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.unsqueeze(-1) * x.softmax(-1)


class LogSumExpOfRoundedForward(LogSumExp):
    """Forward in bfloat16, backward in full precision: the gradient of another function."""

    @staticmethod
    def forward(x):
        return x.bfloat16().logsumexp(-1).to(x.dtype)


class LogSumExpOfRoundedBackward(LogSumExp):
    """Forward in full precision, backward at x rounded to bfloat16."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y.unsqueeze(-1) * x.bfloat16().to(x.dtype).softmax(-1)


class Sin(SavesInputs):
    """y = sin x."""

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.cos()


class SinThroughSinglePrecision(Sin):
    """The gradient is rounded to float32 on its way."""

    @staticmethod
    def backward(ctx, grad_y):
        return Sin.backward(ctx, grad_y).float().to(grad_y.dtype)


class SinThroughHalfPrecision(Sin):
    """The gradient is rounded to float16 on its way."""

    @staticmethod
    def backward(ctx, grad_y):
        return Sin.backward(ctx, grad_y).half().to(grad_y.dtype)


class LogOnePlus(SavesInputs):
    """y = log(1 + x)."""

    @staticmethod
    def forward(x):
        return x.log1p()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y / (1 + x)


class LogOnePlusByAdding(LogOnePlus):
    """Adds the one before the logarithm: a tiny x is gone."""

    @staticmethod
    def forward(x):
        return (1 + x).log()


def half_tanh(x):
    """tanh(x/2), in a form that keeps its slope on both sides."""
    return torch.where(x > 0, 1 - 2 * torch.sigmoid(-x), 2 * torch.sigmoid(x) - 1)


class HalfTanh(SavesInputs):
    """y = tanh(x/2), with the slope 2 σ(x) σ(-x)."""

    @staticmethod
    def forward(x):
        return half_tanh(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * 2 * torch.sigmoid(x) * torch.sigmoid(-x)


class HalfTanhByCancelling(HalfTanh):
    """½ (1 - y²) cancels to zero where y rounds to one."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (1 - (x / 2).tanh() ** 2) / 2


def many_rows_of_bfloat16(generator):
    x, weight = normal(generator, 4096, 3), normal(generator, 3, 4)
    return leaf(x.detach().abs().bfloat16()), leaf(weight.bfloat16())


def small_entries(generator):
    return (leaf(normal(generator, 4, 3).abs() * 1e-12),)


def positive_entries(generator):
    return (leaf(normal(generator, 4, 3).abs()),)


def saturated(generator):
    return (leaf(normal(generator, 4, 3) + 38),)


BUGS = (
    PlantedBug(
        name="grad_weight is accumulated in bfloat16",
        wrong=ProjectRowsInChunks,
        right=ProjectRows,
        reference=torch.mm,
        ordinary=normals((300, 3), (3, 4)),
        tripping=many_rows_of_bfloat16,
        causes=("precision-loss",),
        source="linkedin/Liger-Kernel#1391",
    ),
    PlantedBug(
        name="logsumexp runs forward in bfloat16",
        wrong=LogSumExpOfRoundedForward,
        right=LogSumExp,
        reference=lambda x: x.logsumexp(-1),
        ordinary=normals((4, 6)),
        tripping=normals((4, 6)),
        causes=("forward-wrong", "precision-loss", "forward-noisy"),
        source="marin-community/marin#8217",
    ),
    PlantedBug(
        name="logsumexp runs backward at rounded inputs",
        wrong=LogSumExpOfRoundedBackward,
        right=LogSumExp,
        reference=lambda x: x.logsumexp(-1),
        ordinary=normals((5, 6)),
        tripping=normals((5, 6)),
        causes=("precision-loss",),
        source="marin-community/marin#8217",
    ),
    PlantedBug(
        name="sin rounds its gradient to float32",
        wrong=SinThroughSinglePrecision,
        right=Sin,
        reference=torch.sin,
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("precision-loss",),
        source="inside the tolerance of torch.autograd.gradcheck",
    ),
    PlantedBug(
        name="sin rounds its gradient to float16",
        wrong=SinThroughHalfPrecision,
        right=Sin,
        reference=torch.sin,
        ordinary=normals((3, 4)),
        tripping=normals((3, 4)),
        causes=("precision-loss",),
        source="inside the tolerance of torch.autograd.gradcheck",
    ),
    PlantedBug(
        name="log1p adds its one first",
        wrong=LogOnePlusByAdding,
        right=LogOnePlus,
        reference=torch.log1p,
        ordinary=positive_entries,
        tripping=small_entries,
        causes=("forward-wrong", "precision-loss", "forward-noisy"),
        source="pytorch/pytorch#64163",
    ),
    PlantedBug(
        name="saturated tanh cancels its slope",
        wrong=HalfTanhByCancelling,
        right=HalfTanh,
        reference=half_tanh,
        ordinary=normals((4, 3)),
        tripping=saturated,
        causes=("precision-loss",),
        source="cancellation in 1 - y²",
    ),
)
