"""Functions with several outputs, not all of them used or differentiable."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import normal, normals

from .by_hand import backward_of, by_hand, wrong

SOME = normals((3, 4))


@wrong(
    "None unforeseen",
    ("raises",),
    "None arrives for an output that is not used",
    "set_materialize_grads(False) in flash attention and TransformerEngine",
)
@by_hand(lambda x: (x.mean(-1), x.var(-1, unbiased=False)), SOME)
def mean_and_variance(slip):
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.mean(-1), x.var(-1, unbiased=False)

    def backward(ctx, grad_mean, grad_variance):
        (x,) = ctx.saved_tensors
        n, centred = x.shape[-1], x - x.mean(-1, keepdim=True)
        if slip:
            return (grad_mean[..., None] + 2 * grad_variance[..., None] * centred) / n
        grad_x = torch.zeros_like(x)
        if grad_mean is not None:
            grad_x = grad_x + grad_mean[..., None] / n
        if grad_variance is not None:
            grad_x = grad_x + 2 * grad_variance[..., None] * centred / n
        return grad_x

    return forward, backward


@backward_of(lambda a, b, c: (a + b, b * c, (a * c).sum()), normals((3,), (3,), (3,)))
def sum_product_and_dot(_, grad_sum, grad_product, grad_dot, a, b, c):
    """The last one has no dimensions."""
    grad_b = grad_sum + grad_product * c
    return grad_sum + grad_dot * c, grad_b, grad_product * b + grad_dot * a


@by_hand(lambda x: tuple(torch.max(x, -1)), SOME)
def largest_and_its_place(_):
    def forward(ctx, x):
        largest, place = x.max(-1)
        ctx.mark_non_differentiable(place)
        ctx.save_for_backward(place)
        ctx.width = x.shape[-1]
        return largest, place

    def backward(ctx, grad_y, _):
        (place,) = ctx.saved_tensors
        return grad_y.unsqueeze(-1) * F.one_hot(place, ctx.width)

    return forward, backward


def routed(x, k):
    largest, places = torch.topk(x, k, -1)
    return torch.softmax(largest, -1), places


@by_hand(routed, lambda generator: (normal(generator, 4, 6), 2))
def router(_):
    """The k largest logits, as shares; whose they are is a second output."""

    def forward(ctx, x, k):
        share, places = routed(x, k)
        ctx.save_for_backward(share, places)
        ctx.width = x.shape[-1]
        ctx.mark_non_differentiable(places)
        return share, places

    @once_differentiable
    def backward(ctx, grad_y, _):
        share, places = ctx.saved_tensors
        grad_z = share * (grad_y - (grad_y * share).sum(-1, keepdim=True))
        zeros = grad_z.new_zeros(*grad_z.shape[:-1], ctx.width)
        return zeros.scatter_(-1, places, grad_z), None

    return forward, backward


def median_forward(x):
    y, place = x.median(-1)
    return y, {"place": place}


@backward_of(lambda x: torch.median(x, -1).values, normals((3, 5)), forward=median_forward)
def median(_, grad_y, x, place):
    zeros = torch.zeros(x.shape, dtype=grad_y.dtype)
    return zeros.scatter(-1, place[..., None], grad_y[..., None])


def sort_forward(x, descending):
    y, order = torch.sort(x, -1, descending)
    return y, {"order": order}


@backward_of(
    lambda x, descending: torch.sort(x, -1, descending).values,
    lambda generator: (normal(generator, 3, 5), True),
    forward=sort_forward,
)
def sort(_, grad_y, order):
    """The gradient is torch.empty at first, and every entry of it is written."""
    return torch.empty_like(grad_y).scatter_(-1, order, grad_y), None


def mean_where(x, dim, keepdim, eps, _, mask):
    share = mask.to(x.dtype)
    count = share.sum(dim, keepdim=keepdim).clamp(min=eps)
    return (x * share).sum(dim, keepdim=keepdim) / count


def options(generator):
    x, mask = normal(generator, 4, 5), torch.rand(4, 5, generator=generator) > 0.3
    return x, -1, False, 1e-9, "mean", mask


def masked_mean_forward(x, dim, keepdim, eps, name, mask):
    share = mask.to(x.dtype)
    count = share.sum(dim, keepdim=True).clamp(min=eps)
    return mean_where(x, dim, keepdim, eps, name, mask), {"share": share, "count": count}


@backward_of(mean_where, options, forward=masked_mean_forward)
def masked_mean(_, grad_y, share, count, dim, keepdim):
    """Many options, a string among them, and None for each."""
    if not keepdim:
        grad_y = grad_y.unsqueeze(dim)
    return grad_y * share / count, None, None, None, None, None
