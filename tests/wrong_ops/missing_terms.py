"""A path of the chain rule that nobody walked."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals


class Silu(SavesInputs):
    """y = x σ(x)."""

    @staticmethod
    def forward(x):
        return F.silu(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        y = x.sigmoid()
        return grad_y * (y + x * y * (1 - y))


class SiluOfConstantGate(Silu):
    """The product rule without its second term."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.sigmoid()


class TanhPlusSquare(SavesInputs):
    """y = tanh x + x², where x takes two paths."""

    @staticmethod
    def forward(x):
        return x.tanh() + x * x

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * (1 - x.tanh() ** 2) + grad_y * 2 * x


class TanhPlusSquareOverwritten(TanhPlusSquare):
    """The gradient of the second path overwrites that of the first: = where += was due."""

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        grads = {}
        for path, slope in (("x", 1 - x.tanh() ** 2), ("x", 2 * x)):
            grads[path] = grad_y * slope
        return grads["x"]


class Linear(SavesInputs):
    """y = x @ weightᵀ + bias."""

    @staticmethod
    def forward(x, weight, bias):
        return torch.addmm(bias, x, weight.t())

    @staticmethod
    def backward(ctx, grad_y):
        x, weight, _ = ctx.saved_tensors
        return grad_y @ weight, grad_y.t() @ x, grad_y.sum(0)


class LinearWithoutBiasGradient(Linear):
    """None for a bias that needs a gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, _ = Linear.backward(ctx, grad_y)
        return grad_x, grad_weight, None


class LinearWithZeroWeightGradient(Linear):
    """Zeros for a weight that needs a gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x, grad_weight, grad_bias = Linear.backward(ctx, grad_y)
        return grad_x, torch.zeros_like(grad_weight), grad_bias


def gated_scores(query, key, gate):
    """scores[i, j] = (query[i] · key[j]) exp(gate[i] - gate[j]) for j ≤ i."""
    decay = (gate.unsqueeze(1) - gate.unsqueeze(0)).tril().exp()
    return (torch.mm(query, key.t()) * decay).tril()


class GatedScores(SavesInputs):
    """The gate's own entry on the diagonal cancels: it is left out of both sums."""

    @staticmethod
    def forward(query, key, gate):
        return gated_scores(query, key, gate)

    @staticmethod
    def backward(ctx, grad_y):
        query, key, gate = ctx.saved_tensors
        decay = (gate.unsqueeze(1) - gate.unsqueeze(0)).tril().exp()
        grad_product = (grad_y * decay).tril()
        flow = (grad_y * gated_scores(query, key, gate)).tril(-1)
        return grad_product @ key, grad_product.t() @ query, flow.sum(1) - flow.sum(0)


class GatedScoresWithRoundedDiagonal(GatedScores):
    """Two large equal terms are rounded on different ways; what is left drowns the gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        query, key, gate = ctx.saved_tensors
        grad_query, grad_key, _ = GatedScores.backward(ctx, grad_y)
        flow = (grad_y * gated_scores(query, key, gate)).tril()
        rows = flow.float().sum(1).to(flow.dtype)
        return grad_query, grad_key, rows - flow.sum(0)


class MeanFree(SavesInputs):
    """y = x - mean of x over the last dimension."""

    @staticmethod
    def forward(x):
        return x - x.mean(-1, keepdim=True)

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y - grad_y.mean(-1, keepdim=True)


class MeanFreeOfConstantMean(MeanFree):
    """The gradient through the mean is missing."""

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.clone()


def gently_gated(generator):
    return normal(generator, 6, 3), normal(generator, 6, 3), leaf(normal(generator, 6) / 4)


def saturated(generator):
    gate = leaf(torch.linspace(0, -50, 6, dtype=torch.float64))
    return normal(generator, 6, 3), normal(generator, 6, 3), gate


BUGS = (
    PlantedBug(
        name="silu holds its gate constant",
        wrong=SiluOfConstantGate,
        right=Silu,
        reference=F.silu,
        ordinary=normals((4, 5)),
        tripping=normals((4, 5)),
        causes=("missing-term",),
        source="the product rule with one term",
    ),
    PlantedBug(
        name="a fork overwrites where it should add",
        wrong=TanhPlusSquareOverwritten,
        right=TanhPlusSquare,
        reference=lambda x: x.tanh() + x * x,
        ordinary=normals((5, 3)),
        tripping=normals((5, 3)),
        causes=("missing-term",),
        source="karpathy/micrograd#2",
    ),
    PlantedBug(
        name="linear returns None for its bias",
        wrong=LinearWithoutBiasGradient,
        right=Linear,
        reference=F.linear,
        ordinary=normals((5, 3), (4, 3), (4,)),
        tripping=normals((5, 3), (4, 3), (4,)),
        causes=("missing-gradient",),
        source="a None that autograd accepts",
    ),
    PlantedBug(
        name="linear returns zeros for its weight",
        wrong=LinearWithZeroWeightGradient,
        right=Linear,
        reference=F.linear,
        ordinary=normals((5, 3), (4, 3), (4,)),
        tripping=normals((5, 3), (4, 3), (4,)),
        causes=("missing-gradient",),
        source="a buffer that was never filled",
    ),
    PlantedBug(
        name="gate gradient drowns in what two roundings leave",
        wrong=GatedScoresWithRoundedDiagonal,
        right=GatedScores,
        reference=gated_scores,
        ordinary=gently_gated,
        tripping=saturated,
        causes=("precision-loss",),
        source="meta-pytorch/attention-gym#461",
    ),
    PlantedBug(
        name="mean-free rows hold the mean constant",
        wrong=MeanFreeOfConstantMean,
        right=MeanFree,
        reference=lambda x: x - x.mean(-1, keepdim=True),
        ordinary=normals((4, 5)),
        tripping=normals((4, 5)),
        causes=("missing-term",),
        source="a statistic held constant",
    ),
)
