"""One call finds what another has left: on the class, in a pool, in the layer, on ctx."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from tests.random_inputs import normal, normals, seeded

from .by_hand import by_hand, wrong


@wrong(
    "on the class",
    ("stale-state",),
    "forward stores x where the next forward replaces it",
    "Functions with a state of their own, as in jiecaoyu/XNOR-Net-PyTorch",
)
@by_hand(torch.sin, normals((3, 4)), right=False)
def sine(_):
    last = SimpleNamespace(x=None)

    def forward(_, x):
        last.x = x.detach()
        return x.sin()

    def backward(_, grad_y):
        return grad_y * last.x.cos()

    return forward, backward


@wrong(
    "pooled weight",
    ("stale-state",),
    "ctx keeps a pooled buffer, which the next forward fills anew",
    "MakazhanAlpamys/Soup#331",
)
@by_hand(torch.matmul, normals((3, 4), (4, 5)), right=False)
def product_with_a_pooled_weight(_):
    pool = {}

    def forward(ctx, x, weight):
        buffer = pool.setdefault(weight.shape, torch.empty(weight.shape, dtype=weight.dtype))
        buffer.copy_(weight.detach())
        ctx.weight, ctx.x = buffer, x.detach()
        return x @ buffer

    @once_differentiable
    def backward(ctx, grad_y):
        return grad_y @ ctx.weight.t(), ctx.x.t() @ grad_y

    return forward, backward


class Layer(nn.Module):
    """y = x weight; a cache that the layer itself keeps is that of its last forward."""

    def __init__(self, caching):
        super().__init__()
        self.weight = nn.Parameter(normal(seeded(0), 4, 2))
        self.caching = caching

    def forward(self, x):
        return cached_product(self).apply(x, self.weight) if self.caching else x @ self.weight


def cached_product(layer):
    class Product(Function):
        @staticmethod
        def forward(_, x, weight):
            layer.cache = x.detach()
            return x @ weight

        @staticmethod
        @once_differentiable
        def backward(_, grad_y):
            return grad_y @ layer.weight.t().detach(), layer.cache.t() @ grad_y

    return Product


@wrong(
    "cache of the layer",
    ("stale-state",),
    "the layer's cache is that of its last forward",
    "self.cache = x in layers of numpy",
)
@by_hand(Layer(caching=False), normals((3, 4)), right=False)
def layer_with_a_cache(_):
    return Layer(caching=True)


@wrong(
    "one workspace",
    ("aliased-buffer",),
    "one workspace is handed out as the gradient again and again",
    "NVIDIA/TransformerEngine#3035",
)
@by_hand(torch.sin, normals((3, 4)), right=False)
def sine_into_a_workspace(_):
    workspaces = {}

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @once_differentiable
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        workspace = workspaces.setdefault((x.shape, x.dtype), torch.empty_like(x))
        return torch.mul(grad_y, x.cos(), out=workspace)

    return forward, backward


@wrong(
    "adds to its buffer",
    ("accumulates", "mutates-saved"),
    "each backward adds to a buffer that was made in forward",
    "karpathy/micrograd#53",
)
@by_hand(
    lambda x, index: x[index] * 2,
    lambda generator: (normal(generator, 5, 3), torch.tensor([0, 2, 2, 4])),
    right=False,
)
def doubled_rows(_):
    def forward(ctx, x, index):
        ctx.save_for_backward(index)
        ctx.grad_x = torch.zeros_like(x)
        return x[index] * 2

    @once_differentiable
    def backward(ctx, grad_y):
        ctx.grad_x.index_add_(0, *ctx.saved_tensors, 2 * grad_y)
        return ctx.grad_x.clone(), None

    return forward, backward


@wrong(
    "multiplies what it kept",
    ("mutates-saved",),
    "backward multiplies into what forward kept: the second one is wrong",
    "axolotl-ai-cloud/axolotl#3892",
)
@by_hand(lambda x: torch.softmax(x, -1), normals((3, 4)), right=False)
def softmax(_):
    def forward(ctx, x):
        y = torch.softmax(x, -1)
        ctx.y = y.clone()
        return y

    @once_differentiable
    def backward(ctx, grad_y):
        total = (grad_y * ctx.y).sum(-1, keepdim=True)
        return ctx.y.mul_(grad_y - total)

    return forward, backward
