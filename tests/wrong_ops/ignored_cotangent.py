"""The incoming gradient is dropped, read at one element only, or bent out of proportion."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, indices, normal, normals


class Isrlu(SavesInputs):
    """y = x / sqrt(1 + x²)."""

    @staticmethod
    def forward(x):
        return x * torch.rsqrt(1 + x * x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * torch.rsqrt(1 + x * x) ** 3


class IsrluWithoutGradOutput(Isrlu):
    """Returns the local derivative without the incoming gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return torch.rsqrt(1 + x * x) ** 3


class Square(SavesInputs):
    """y = x²."""

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_y


class SquareWithoutGradOutput(Square):
    """Right for out.sum().backward() and for nothing else."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return 2 * x


class SquareOfClippedGradOutput(Square):
    """Clips the incoming gradient to [-1, 1] before it is used."""

    @staticmethod
    def backward(ctx, grad_y):
        return Square.backward(ctx, grad_y.clamp(-1, 1))


class SquareOfNormalisedGradOutput(Square):
    """Divides the incoming gradient by its own norm."""

    @staticmethod
    def backward(ctx, grad_y):
        return Square.backward(ctx, grad_y / grad_y.norm())


def token_losses(logits, target):
    return -logits.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)


def softmax_minus_one_hot(logits, target):
    return logits.softmax(-1) - F.one_hot(target, logits.shape[-1]).to(logits.dtype)


class TokenLosses(SavesInputs):
    """Cross entropy of every row, without reduction."""

    @staticmethod
    def forward(logits, target):
        return token_losses(logits, target)

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.unsqueeze(-1) * softmax_minus_one_hot(*ctx.saved_tensors), None


class TokenLossesOfFirstGradOutput(TokenLosses):
    """The incoming gradient of row 0 is applied to every row."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.reshape(-1)[0] * softmax_minus_one_hot(*ctx.saved_tensors), None


class TokenLossesOfFirstGradOutputMean(TokenLosses):
    """One scalar of the incoming gradient for all rows, and a 1/N that belongs to the mean."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_logits = softmax_minus_one_hot(*ctx.saved_tensors) / grad_y.numel()
        return grad_y.reshape(-1)[0] * grad_logits, None


class PadLast(SavesInputs):
    """Zeros before and after the last dimension."""

    @staticmethod
    def forward(x, before, after):
        return F.pad(x, (before, after))

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        before, _ = ctx.options
        return grad_y[..., before : before + x.shape[-1]], None, None


class PadLastOfOnes(PadLast):
    """The gradient is a block of ones: slicing lost the incoming gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return torch.ones_like(x), None, None


def logits_and_target(generator):
    return normal(generator, 6, 4), indices(generator, 4, 6)


def padded_rows(generator):
    return normal(generator, 5, 4), 2, 3


def pad_last(x, before, after):
    return F.pad(x, (before, after))


BUGS = (
    PlantedBug(
        name="isrlu ignores grad_output",
        wrong=IsrluWithoutGradOutput,
        right=Isrlu,
        reference=lambda x: x * torch.rsqrt(1 + x * x),
        ordinary=normals((5, 4)),
        tripping=normals((5, 4)),
        causes=("ignores-grad-output",),
        source="pytorch/pytorch#4355",
    ),
    PlantedBug(
        name="square ignores grad_output",
        wrong=SquareWithoutGradOutput,
        right=Square,
        reference=torch.square,
        ordinary=normals((3, 7)),
        tripping=normals((3, 7)),
        causes=("ignores-grad-output",),
        source="a learner's mistake: passes out.sum().backward()",
    ),
    PlantedBug(
        name="token losses read the first grad_output for every row",
        wrong=TokenLossesOfFirstGradOutput,
        right=TokenLosses,
        reference=token_losses,
        ordinary=logits_and_target,
        tripping=logits_and_target,
        causes=("ignores-grad-output",),
        source="linkedin/Liger-Kernel#1298",
    ),
    PlantedBug(
        name="token losses read one grad_output and divide by the rows",
        wrong=TokenLossesOfFirstGradOutputMean,
        right=TokenLosses,
        reference=token_losses,
        ordinary=logits_and_target,
        tripping=logits_and_target,
        causes=("ignores-grad-output", "constant-factor"),
        source="ROCm/TransformerEngine#336",
    ),
    PlantedBug(
        name="pad returns ones",
        wrong=PadLastOfOnes,
        right=PadLast,
        reference=pad_last,
        ordinary=padded_rows,
        tripping=padded_rows,
        causes=("ignores-grad-output",),
        source="apache/mxnet#19043",
    ),
    PlantedBug(
        name="square clips grad_output",
        wrong=SquareOfClippedGradOutput,
        right=Square,
        reference=torch.square,
        ordinary=normals((6, 5)),
        tripping=normals((6, 5)),
        causes=("not-linear-in-grad-output",),
        source="gradient clipping written into a backward",
    ),
    PlantedBug(
        name="square normalises grad_output",
        wrong=SquareOfNormalisedGradOutput,
        right=Square,
        reference=torch.square,
        ordinary=normals((4, 5)),
        tripping=normals((4, 5)),
        causes=("not-linear-in-grad-output",),
        source="gradient normalisation written into a backward",
    ),
)
