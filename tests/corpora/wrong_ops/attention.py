"""Attention: sliced values, tiles, blocks and a scale."""

import math

import torch
from torch.nn import functional as F

from tests.random_inputs import followed_by, leaf, normal, normals

from .planted import at, wrong_backward
from .rule import gradients_of

BLOCK = 4


def attention(query, key, value):
    return torch.mm(torch.mm(query, key.t()).softmax(-1), value)


@gradients_of(attention)
def Attention(grad_y, query, key, value):
    """y = softmax(query keyᵀ) value, for matrices."""
    return attention_gradients(query, key, value, (query @ key.t()).softmax(-1), grad_y)


def attention_gradients(query, key, value, probability, grad_y):
    grad_probability = grad_y @ value.t()
    mean = (grad_probability * probability).sum(-1, keepdim=True)
    grad_score = probability * (grad_probability - mean)
    return grad_score @ key, grad_score.t() @ query, probability.t() @ grad_y


def value_sliced_from_one_projection(generator):
    joint = normal(generator, 6, 3, 5).detach()
    return tuple(leaf(joint[:, part]) for part in range(3))


@wrong_backward(
    Attention, "layout-dependent", "uninitialised-memory", source="Dao-AILab/flash-attention#2541"
)
@at(normals((5, 3), (6, 3), (6, 4)), tripping=value_sliced_from_one_projection)
def attention_never_writes_the_gradient_of_a_sliced_value(grad_y, query, key, value):
    """grad_value gets the gaps of a sliced value; the flat copy never reaches it."""
    grad_query, grad_key, grad_value = Attention.gradients(grad_y, query, key, value)
    if value.is_contiguous():
        return grad_query, grad_key, grad_value
    stored = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype)
    stored.reshape(-1).copy_(grad_value.reshape(-1))
    return grad_query, grad_key, stored


@wrong_backward(Attention, "wrong-elements", source="Dao-AILab/flash-attention#2552")
@at(normals((5, 8), (6, 8), (6, 12)), tripping=normals((5, 8), (6, 8), (6, 7)))
def attention_tiles_grad_value_by_the_width_of_query(grad_y, query, key, value):
    """The tile width of query and key is used for the columns of grad_value."""
    grad_query, grad_key, grad_value = Attention.gradients(grad_y, query, key, value)
    tile = math.gcd(32, max(query.shape[-1] // 2, 1))
    covered = value.shape[-1] - value.shape[-1] % tile
    written = F.pad(grad_value[:, :covered], (0, value.shape[-1] - covered))
    return grad_query, grad_key, written


@wrong_backward(Attention, "missing-term", "wrong-elements", source="pytorch/pytorch#153799")
@at(normals((5, 3), (8, 3), (8, 2)), tripping=normals((5, 3), (7, 3), (7, 2)))
def attention_forgets_to_mask_padded_keys_in_backward(grad_y, query, key, value):
    """Backward pads the keys to whole blocks and forgets to mask the padding."""
    padding = -key.shape[0] % BLOCK
    score = query @ F.pad(key, (0, 0, 0, padding)).t()
    probability = score.softmax(-1)[:, : key.shape[0]]
    return attention_gradients(query, key, value, probability, grad_y)


@gradients_of(lambda query, key, scale: torch.mm(query, key.t()) * scale)
def ScaledScores(grad_y, query, key, scale):
    """y = scale · query keyᵀ."""
    return scale * (grad_y @ key), scale * (grad_y.t() @ query), None


@wrong_backward(ScaledScores, "constant-factor", source="fla-org/flash-linear-attention#47")
@at(followed_by(normals((5, 3), (4, 3)), 1.0), tripping=followed_by(normals((5, 3), (4, 3)), 0.3))
def scaled_scores_lose_the_scale_of_grad_key(grad_y, query, key, scale):
    return scale * (grad_y @ key), grad_y.t() @ query, None
