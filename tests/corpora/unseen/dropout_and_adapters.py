"""Masks that are drawn again in backward, and adapters beside a frozen weight."""

import torch

from tests.random_inputs import normal, seeded

from .by_hand import backward_of, wrong


def kept(x, p, seed):
    return torch.rand(x.shape, generator=seeded(seed), dtype=x.dtype) > p


def dropping(p):
    return lambda generator: (normal(generator, 4, 6), p, 11)


@wrong(
    "new mask",
    ("nondeterministic",),
    "backward draws another mask",
    "checkpoints without the state of the generator, seeds of dropout in flash attention",
)
@wrong(
    "no scale",
    ("constant-factor",),
    "1/(1 − p) is missing",
    "inverted dropout by learners",
    tripping=dropping(0.3),
)
@backward_of(lambda x, p, seed: x * kept(x, p, seed) / (1 - p), dropping(0.5))
def dropout(slip, grad_y, p, seed):
    """The mask is not kept: backward draws it again from the seed."""
    if slip == "new mask":
        mask = torch.rand(grad_y.shape, dtype=grad_y.dtype) > p
    else:
        mask = kept(grad_y, p, seed)
    return grad_y * mask / (1 if slip == "no scale" else 1 - p), None, None


def adapted(x, weight, down, up, mask, scale):
    return x @ weight.t() + scale * ((x * mask) @ down.t()) @ up.t()


def adapter(generator):
    tensors = [normal(generator, *shape) for shape in ((4, 3), (5, 3), (2, 3), (5, 2))]
    return *tensors, torch.rand(4, 3, generator=generator) > 0.4, 0.5


@wrong(
    "no mask",
    ("missing-term", "wrong-elements", "missing-local-derivative"),
    "grad_x through the adapter is not masked",
    "foundation-model-stack/fms-acceleration#97",
)
@wrong(
    "frozen weight",
    ("depends-on-requires-grad",),
    "the adapter gets nothing where the weight is frozen",
    "adapter kernels of unsloth and axolotl",
)
@backward_of(adapted, adapter)
def low_rank_adapter(slip, grad_y, x, weight, down, up, mask, scale, needs_input_grad):
    through = scale * (grad_y @ up) @ down
    grad_x = grad_y @ weight + (through if slip == "no mask" else through * mask)
    grad_weight = grad_y.t() @ x if needs_input_grad[1] else None
    if slip == "frozen weight" and not needs_input_grad[1]:
        return grad_x, None, None, None, None, None
    grad_down = scale * (grad_y @ up).t() @ (x * mask)
    grad_up = scale * grad_y.t() @ ((x * mask) @ down.t())
    return grad_x, grad_weight, grad_down, grad_up, None, None
