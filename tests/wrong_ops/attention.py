"""Attention: sliced values, tiles, blocks and a scale."""

import math

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, leaf, normal, normals

BLOCK = 4


def attention(query, key, value):
    return torch.mm(torch.mm(query, key.t()).softmax(-1), value)


class Attention(SavesInputs):
    """y = softmax(query keyᵀ) value, for matrices."""

    @staticmethod
    def forward(query, key, value):
        return attention(query, key, value)

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value = ctx.saved_tensors
        return attention_gradients(query, key, value, (query @ key.t()).softmax(-1), grad_y)


def attention_gradients(query, key, value, probability, grad_y):
    grad_probability = grad_y @ value.t()
    mean = (grad_probability * probability).sum(-1, keepdim=True)
    grad_score = probability * (grad_probability - mean)
    return grad_score @ key, grad_score.t() @ query, probability.t() @ grad_y


class AttentionOfSlicedValue(Attention):
    """grad_value gets the gaps of a sliced value; the flat copy never reaches it."""

    @staticmethod
    def backward(ctx, grad_y):
        value = ctx.saved_tensors[2]
        grad_query, grad_key, grad_value = Attention.backward(ctx, grad_y)
        if value.is_contiguous():
            return grad_query, grad_key, grad_value
        stored = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype)
        stored.reshape(-1).copy_(grad_value.reshape(-1))
        return grad_query, grad_key, stored


class AttentionInTilesOfQuery(Attention):
    """The tile width of query and key is used for the columns of grad_value."""

    @staticmethod
    def backward(ctx, grad_y):
        query, _, value = ctx.saved_tensors
        grad_query, grad_key, grad_value = Attention.backward(ctx, grad_y)
        tile = math.gcd(32, max(query.shape[-1] // 2, 1))
        covered = value.shape[-1] - value.shape[-1] % tile
        written = F.pad(grad_value[:, :covered], (0, value.shape[-1] - covered))
        return grad_query, grad_key, written


class AttentionWithUnmaskedPadding(Attention):
    """Backward pads the keys to whole blocks and forgets to mask the padding."""

    @staticmethod
    def backward(ctx, grad_y):
        query, key, value = ctx.saved_tensors
        padding = -key.shape[0] % BLOCK
        score = query @ F.pad(key, (0, 0, 0, padding)).t()
        probability = score.softmax(-1)[:, : key.shape[0]]
        return attention_gradients(query, key, value, probability, grad_y)


class ScaledScores(SavesInputs):
    """y = scale · query keyᵀ."""

    @staticmethod
    def forward(query, key, scale):
        return torch.mm(query, key.t()) * scale

    @staticmethod
    def backward(ctx, grad_y):
        query, key = ctx.saved_tensors
        (scale,) = ctx.options
        return scale * (grad_y @ key), scale * (grad_y.t() @ query), None


class ScaledScoresWithUnscaledKey(ScaledScores):
    """grad_key lacks the scale."""

    @staticmethod
    def backward(ctx, grad_y):
        query, key = ctx.saved_tensors
        (scale,) = ctx.options
        return scale * (grad_y @ key), grad_y.t() @ query, None


def value_sliced_from_one_projection(generator):
    joint = normal(generator, 6, 3, 5).detach()
    return tuple(leaf(joint[:, part]) for part in range(3))


def scores_scaled_by(scale):
    def draw(generator):
        return normal(generator, 5, 3), normal(generator, 4, 3), scale

    return draw


BUGS = (
    PlantedBug(
        name="attention never writes the gradient of a sliced value",
        wrong=AttentionOfSlicedValue,
        right=Attention,
        reference=attention,
        ordinary=normals((5, 3), (6, 3), (6, 4)),
        tripping=value_sliced_from_one_projection,
        causes=("layout-dependent", "uninitialised-memory"),
        source="Dao-AILab/flash-attention#2541",
    ),
    PlantedBug(
        name="attention tiles grad_value by the width of query",
        wrong=AttentionInTilesOfQuery,
        right=Attention,
        reference=attention,
        ordinary=normals((5, 8), (6, 8), (6, 12)),
        tripping=normals((5, 8), (6, 8), (6, 7)),
        causes=("wrong-elements",),
        source="Dao-AILab/flash-attention#2552",
    ),
    PlantedBug(
        name="attention forgets to mask padded keys in backward",
        wrong=AttentionWithUnmaskedPadding,
        right=Attention,
        reference=attention,
        ordinary=normals((5, 3), (8, 3), (8, 2)),
        tripping=normals((5, 3), (7, 3), (7, 2)),
        causes=("missing-term", "wrong-elements"),
        source="pytorch/pytorch#153799",
    ),
    PlantedBug(
        name="scaled scores lose the scale of grad_key",
        wrong=ScaledScoresWithUnscaledKey,
        right=ScaledScores,
        reference=lambda query, key, scale: torch.mm(query, key.t()) * scale,
        ordinary=scores_scaled_by(1.0),
        tripping=scores_scaled_by(0.3),
        causes=("constant-factor",),
        source="fla-org/flash-linear-attention#47",
    ),
)
