"""Functions with several outputs, not all of them used or differentiable."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import normal, normals

from .by_hand import Slip, by_hand

SOME = normals((3, 4))


@by_hand(
    lambda x: (x.mean(-1), x.var(-1, unbiased=False)),
    SOME,
    Slip(
        "None unforeseen",
        ("raises",),
        "None arrives for an output that is not used",
        "set_materialize_grads(False) in flash attention and TransformerEngine",
    ),
)
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


@by_hand(lambda a, b, c: (a + b, b * c, (a * c).sum()), normals((3,), (3,), (3,)))
def sum_product_and_dot(_):
    """The last one has no dimensions."""

    def forward(ctx, a, b, c):
        ctx.save_for_backward(a, b, c)
        return a + b, b * c, (a * c).sum()

    def backward(ctx, grad_sum, grad_product, grad_dot):
        a, b, c = ctx.saved_tensors
        grad_b = grad_sum + grad_product * c
        return grad_sum + grad_dot * c, grad_b, grad_product * b + grad_dot * a

    return forward, backward


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


@by_hand(lambda x: torch.median(x, -1).values, normals((3, 5)))
def median(_):
    def forward(ctx, x):
        y, place = x.median(-1)
        ctx.save_for_backward(place)
        ctx.shape = x.shape
        return y

    def backward(ctx, grad_y):
        (place,) = ctx.saved_tensors
        zeros = torch.zeros(ctx.shape, dtype=grad_y.dtype)
        return zeros.scatter(-1, place[..., None], grad_y[..., None])

    return forward, backward


@by_hand(
    lambda x, descending: torch.sort(x, -1, descending).values,
    lambda generator: (normal(generator, 3, 5), True),
)
def sort(_):
    """The gradient is torch.empty at first, and every entry of it is written."""

    def forward(ctx, x, descending):
        y, order = torch.sort(x, -1, descending)
        ctx.save_for_backward(order)
        return y

    def backward(ctx, grad_y):
        (order,) = ctx.saved_tensors
        return torch.empty_like(grad_y).scatter_(-1, order, grad_y), None

    return forward, backward


def mean_where(x, dim, keepdim, eps, _, mask):
    share = mask.to(x.dtype)
    count = share.sum(dim, keepdim=keepdim).clamp(min=eps)
    return (x * share).sum(dim, keepdim=keepdim) / count


def options(generator):
    x, mask = normal(generator, 4, 5), torch.rand(4, 5, generator=generator) > 0.3
    return x, -1, False, 1e-9, "mean", mask


@by_hand(mean_where, options)
def masked_mean(_):
    """Many options, a string among them, and None for each."""

    def forward(ctx, x, dim, keepdim, eps, name, mask):
        share = mask.to(x.dtype)
        ctx.save_for_backward(share, share.sum(dim, keepdim=True).clamp(min=eps))
        ctx.dim, ctx.keepdim = dim, keepdim
        return mean_where(x, dim, keepdim, eps, name, mask)

    def backward(ctx, grad_y):
        share, count = ctx.saved_tensors
        if not ctx.keepdim:
            grad_y = grad_y.unsqueeze(ctx.dim)
        return grad_y * share / count, None, None, None, None, None

    return forward, backward
