"""Attention: the scores are made again from what forward kept."""

import math

import torch

from tests.corpora.wrong_ops.layouts import in_memory_order
from tests.random_inputs import normal, normals

from .by_hand import backward_of, wrong


def attention(q, k, v):
    return torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1) @ v


def grad_scores(p, grad_p):
    """Backwards through the softmax that gave p."""
    return p * (grad_p - (grad_p * p).sum(-1, keepdim=True))


def queries_keys_values(generator):
    return normal(generator, 2, 5, 4), normal(generator, 2, 6, 4), normal(generator, 2, 6, 3)


def flash_attention_forward(q, k, v):
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    logsumexp = torch.logsumexp(scores, -1, keepdim=True)
    return (scores - logsumexp).exp() @ v, {"logsumexp": logsumexp}


@wrong(
    "strides",
    ("layout-dependent",),
    "grad_y is walked as if it were contiguous",
    "Dao-AILab/flash-attention#355",
)
@wrong(
    "no delta",
    ("missing-term",),
    "dS = P∘dP without the row sum of dP∘P",
    "flash attention as an exercise, softmax backward in karpathy/llm.c",
)
@wrong(
    "dk without its scale",
    ("constant-factor",),
    "1/√d multiplies dq and not dk",
    "Triton tutorials of flash attention",
)
@backward_of(attention, queries_keys_values, forward=flash_attention_forward, once=True)
def flash_attention(slip, grad_y, q, k, v, y, logsumexp):
    scale = 1 / math.sqrt(q.shape[-1])
    if slip == "strides":
        grad_y = in_memory_order(grad_y)
    elif slip is None:
        grad_y = grad_y.contiguous()
    p = (q @ k.mT * scale - logsumexp).exp()
    grad_p = grad_y @ v.mT
    delta = (grad_y * y).sum(-1, keepdim=True)
    grad_s = p * grad_p if slip == "no delta" else p * (grad_p - delta)
    scale_of_k = 1 if slip == "dk without its scale" else scale
    return grad_s @ k * scale, grad_s.mT @ q * scale_of_k, p.mT @ grad_y


def grouped_attention(q, k, v):
    group = q.shape[1] // k.shape[1]
    return attention(q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1))


def grouped_query_attention_forward(q, k, v):  # q (batch, heads, n, d), k and v with fewer heads
    group = q.shape[1] // k.shape[1]
    each_k, each_v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    p = torch.softmax(q @ each_k.mT / math.sqrt(q.shape[-1]), -1)
    return p @ each_v, {"each_k": each_k, "each_v": each_v, "p": p, "group": group}


@wrong(
    "first head of a group",
    ("missing-reduction", "missing-term"),
    "dk and dv keep what the first query head of each group gives, and drop the others",
    "grouped queries in flash attention and xformers",
)
@backward_of(
    grouped_attention,
    normals((2, 4, 5, 3), (2, 2, 5, 3), (2, 2, 5, 3)),
    forward=grouped_query_attention_forward,
    once=True,
)
def grouped_query_attention(slip, grad_y, q, each_k, each_v, p, group):
    grad_s = grad_scores(p, grad_y @ each_v.mT) * q.shape[-1] ** -0.5
    grad_q, grad_k, grad_v = grad_s @ each_k, grad_s.mT @ q, p.mT @ grad_y
    if slip:
        return grad_q, grad_k[:, ::group], grad_v[:, ::group]
    return grad_q, grad_k.unflatten(1, (-1, group)).sum(2), grad_v.unflatten(1, (-1, group)).sum(2)


def capped_attention(q, k, v, cap):
    return torch.softmax(cap * torch.tanh(q @ k.mT / cap), -1) @ v


def soft_capped_attention_forward(q, k, v, cap):
    t = torch.tanh(q @ k.mT / cap)
    p = torch.softmax(cap * t, -1)
    return p @ v, {"p": p, "t": t}


@wrong(
    "no tanh",
    ("missing-local-derivative",),
    "1 − tanh² of the cap is missing",
    "soft-capped logits of Gemma 2 in flash attention 2.6",
)
@backward_of(
    capped_attention,
    lambda generator: (*queries_keys_values(generator), 2.0),
    forward=soft_capped_attention_forward,
    once=True,
)
def soft_capped_attention(slip, grad_y, q, k, v, p, t):
    grad_s = grad_scores(p, grad_y @ v.mT)
    if not slip:
        grad_s = grad_s * (1 - t * t)
    return grad_s @ k, grad_s.mT @ q, p.mT @ grad_y, None


def biased_attention_forward(q, k, v, bias):  # bias (1, n, m)
    p = torch.softmax(q @ k.mT + bias, -1)
    return p @ v, {"p": p}


@wrong(
    "first of the batch",
    ("missing-reduction", "missing-term"),
    "the bias is shared by the batch, its gradient is that of the first element",
    "Dao-AILab/flash-attention#661",
)
@backward_of(
    lambda q, k, v, bias: torch.softmax(q @ k.mT + bias, -1) @ v,
    lambda generator: (*queries_keys_values(generator), normal(generator, 1, 5, 6)),
    forward=biased_attention_forward,
    once=True,
)
def biased_attention(slip, grad_y, q, k, v, p):
    grad_s = grad_scores(p, grad_y @ v.mT)
    grad_bias = grad_s[:1] if slip else grad_s.sum(0, keepdim=True)
    return grad_s @ k, grad_s.mT @ q, p.mT @ grad_y, grad_bias
