"""A path of the chain rule that nobody walked."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .planted import at, wrong_backward
from .right_rules import Linear
from .rule import gradients_of


@gradients_of(lambda x: F.silu(x))
def Silu(grad_y, x):
    """y = x σ(x)."""
    y = x.sigmoid()
    return grad_y * (y + x * y * (1 - y))


@wrong_backward(Silu, "missing-term", source="the product rule with one term")
@at(normals((4, 5)))
def silu_holds_its_gate_constant(grad_y, x):
    """The product rule without its second term."""
    return grad_y * x.sigmoid()


def tanh_plus_square(x):
    return x.tanh() + x * x


@gradients_of(tanh_plus_square)
def TanhPlusSquare(grad_y, x):
    """y = tanh x + x², where x takes two paths."""
    return grad_y * (1 - x.tanh() ** 2) + grad_y * 2 * x


@wrong_backward(TanhPlusSquare, "missing-term", source="karpathy/micrograd#2")
@at(normals((5, 3)))
def a_fork_overwrites_where_it_should_add(grad_y, x):
    """The gradient of the second path overwrites that of the first: = where += was due."""
    grads = {}
    for path, slope in (("x", 1 - x.tanh() ** 2), ("x", 2 * x)):
        grads[path] = grad_y * slope
    return grads["x"]


@wrong_backward(Linear, "missing-gradient", source="a None that autograd accepts")
@at(normals((5, 3), (4, 3), (4,)))
def linear_returns_none_for_its_bias(grad_y, x, weight, bias):
    grad_x, grad_weight, _ = Linear.gradients(grad_y, x, weight, bias)
    return grad_x, grad_weight, None


@wrong_backward(Linear, "missing-gradient", source="a buffer that was never filled")
@at(normals((5, 3), (4, 3), (4,)))
def linear_returns_zeros_for_its_weight(grad_y, x, weight, bias):
    grad_x, grad_weight, grad_bias = Linear.gradients(grad_y, x, weight, bias)
    return grad_x, torch.zeros_like(grad_weight), grad_bias


def gated_scores(query, key, gate):
    """scores[i, j] = (query[i] · key[j]) exp(gate[i] - gate[j]) for j ≤ i."""
    decay = (gate.unsqueeze(1) - gate.unsqueeze(0)).tril().exp()
    return (torch.mm(query, key.t()) * decay).tril()


@gradients_of(gated_scores)
def GatedScores(grad_y, query, key, gate):
    """The gate's own entry on the diagonal cancels: it is left out of both sums."""
    decay = (gate.unsqueeze(1) - gate.unsqueeze(0)).tril().exp()
    grad_product = (grad_y * decay).tril()
    flow = (grad_y * gated_scores(query, key, gate)).tril(-1)
    return grad_product @ key, grad_product.t() @ query, flow.sum(1) - flow.sum(0)


def gently_gated(generator):
    return normal(generator, 6, 3), normal(generator, 6, 3), leaf(normal(generator, 6) / 4)


def saturated(generator):
    gate = leaf(torch.linspace(0, -50, 6, dtype=torch.float64))
    return normal(generator, 6, 3), normal(generator, 6, 3), gate


@wrong_backward(GatedScores, "precision-loss", source="meta-pytorch/attention-gym#461")
@at(gently_gated, tripping=saturated)
def gate_gradient_drowns_in_what_two_roundings_leave(grad_y, query, key, gate):
    """Two large equal terms are rounded on different ways; what is left drowns the gradient."""
    grad_query, grad_key, _ = GatedScores.gradients(grad_y, query, key, gate)
    flow = (grad_y * gated_scores(query, key, gate)).tril()
    rows = flow.float().sum(1).to(flow.dtype)
    return grad_query, grad_key, rows - flow.sum(0)


def mean_free(x):
    return x - x.mean(-1, keepdim=True)


@gradients_of(mean_free)
def MeanFree(grad_y, x):
    """y = x - mean of x over the last dimension."""
    return grad_y - grad_y.mean(-1, keepdim=True)


@wrong_backward(MeanFree, "missing-term", source="a statistic held constant")
@at(normals((4, 5)))
def mean_free_rows_hold_the_mean_constant(grad_y, x):
    return grad_y.clone()
