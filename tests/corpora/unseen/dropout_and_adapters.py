"""Masks that are drawn again in backward, and adapters beside a frozen weight."""

import torch

from tests.random_inputs import normal, seeded

from .by_hand import Slip, by_hand


def kept(x, p, seed):
    return torch.rand(x.shape, generator=seeded(seed), dtype=x.dtype) > p


def dropping(p):
    return lambda generator: (normal(generator, 4, 6), p, 11)


@by_hand(
    lambda x, p, seed: x * kept(x, p, seed) / (1 - p),
    dropping(0.5),
    Slip(
        "new mask",
        ("nondeterministic",),
        "backward draws another mask",
        "checkpoints without the state of the generator, seeds of dropout in flash attention",
    ),
    Slip(
        "no scale",
        ("constant-factor",),
        "1/(1 − p) is missing",
        "inverted dropout by learners",
        tripping=dropping(0.3),
    ),
)
def dropout(slip):
    """The mask is not kept: backward draws it again from the seed."""

    def forward(ctx, x, p, seed):
        ctx.p, ctx.seed = p, seed
        return x * kept(x, p, seed) / (1 - p)

    def backward(ctx, grad_y):
        if slip == "new mask":
            mask = torch.rand(grad_y.shape, dtype=grad_y.dtype) > ctx.p
        else:
            mask = kept(grad_y, ctx.p, ctx.seed)
        return grad_y * mask / (1 if slip == "no scale" else 1 - ctx.p), None, None

    return forward, backward


def adapted(x, weight, down, up, mask, scale):
    return x @ weight.t() + scale * ((x * mask) @ down.t()) @ up.t()


def adapter(generator):
    tensors = [normal(generator, *shape) for shape in ((4, 3), (5, 3), (2, 3), (5, 2))]
    return *tensors, torch.rand(4, 3, generator=generator) > 0.4, 0.5


@by_hand(
    adapted,
    adapter,
    Slip(
        "no mask",
        ("missing-term", "wrong-elements", "missing-local-derivative"),
        "grad_x through the adapter is not masked",
        "foundation-model-stack/fms-acceleration#97",
    ),
    Slip(
        "frozen weight",
        ("depends-on-requires-grad",),
        "the adapter gets nothing where the weight is frozen",
        "adapter kernels of unsloth and axolotl",
    ),
)
def low_rank_adapter(slip):
    def forward(ctx, x, weight, down, up, mask, scale):
        ctx.save_for_backward(x, weight, down, up, mask)
        ctx.scale = scale
        return adapted(x, weight, down, up, mask, scale)

    def backward(ctx, grad_y):
        x, weight, down, up, mask = ctx.saved_tensors
        through = ctx.scale * (grad_y @ up) @ down
        grad_x = grad_y @ weight + (through if slip == "no mask" else through * mask)
        grad_weight = grad_y.t() @ x if ctx.needs_input_grad[1] else None
        if slip == "frozen weight" and not ctx.needs_input_grad[1]:
            return grad_x, None, None, None, None, None
        grad_down = ctx.scale * (grad_y @ up).t() @ (x * mask)
        grad_up = ctx.scale * grad_y.t() @ ((x * mask) @ down.t())
        return grad_x, grad_weight, grad_down, grad_up, None, None

    return forward, backward
