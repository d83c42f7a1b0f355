"""Cross-entropies that are fused with what stands before them or made in chunks."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from tests.random_inputs import indices, normal, normals

from .by_hand import backward_of, by_hand, wrong

IGNORED = -100


def cross_entropy(x, target, smoothing, z_scale, ignored):
    """Label smoothing and z·logsumexp², averaged over the rows that are not ignored."""
    valid = (target != ignored).to(x.dtype)
    log_p, logsumexp = torch.log_softmax(x, -1), torch.logsumexp(x, -1)
    chosen = log_p.gather(1, target.clamp_min(0)[:, None])[:, 0]
    smooth = smoothing / x.shape[1] * log_p.sum(-1)
    rows = -(1 - smoothing) * chosen - smooth + z_scale * logsumexp**2
    return (rows * valid).sum() / valid.sum()


def rows(smoothing, z_scale, with_ignored):
    def draw(generator):
        target = indices(generator, 5, 6)
        if with_ignored:
            target[torch.tensor([1, 4])] = IGNORED
        return normal(generator, 6, 5), target, smoothing, z_scale, IGNORED

    return draw


@wrong(
    "half the z-loss",
    ("missing-term", "constant-factor"),
    "z·logsumexp·softmax stands without its 2",
    "linkedin/Liger-Kernel#239",
    tripping=rows(0.1, 0.05, False),
)
@wrong(
    "smoothing of ignored rows",
    ("wrong-elements",),
    "smoothing pulls at rows that are ignored",
    "linkedin/Liger-Kernel#198",
    tripping=rows(0.1, 0.0, True),
    ordinary=rows(0.1, 0.0, False),
)
@wrong(
    "mean over all rows",
    ("constant-factor",),
    "backward divides by all rows, forward by those that are not ignored",
    "counts of rows in unsloth and Liger",
    tripping=rows(0.0, 0.0, True),
    ordinary=rows(0.0, 0.0, False),
)
@by_hand(cross_entropy, rows(0.1, 0.05, True))
def cross_entropy_with_its_gradient(slip):
    """The gradient is made in forward."""

    def forward(ctx, x, target, smoothing, z_scale, ignored):
        classes, valid = x.shape[1], target != ignored
        chosen = torch.where(valid, target, torch.zeros_like(target))
        logsumexp = torch.logsumexp(x, -1, keepdim=True)
        log_p = x - logsumexp
        p, one_hot = log_p.exp(), F.one_hot(chosen, classes).to(x.dtype)
        valid = valid.to(x.dtype).unsqueeze(-1)
        loss = -(1 - smoothing) * log_p.gather(1, chosen[:, None])
        loss = loss - smoothing / classes * log_p.sum(-1, keepdim=True) + z_scale * logsumexp**2
        of_z = (1 if slip == "half the z-loss" else 2) * z_scale * logsumexp * p
        sharp, smooth = (1 - smoothing) * (p - one_hot) + of_z, smoothing * (p - 1 / classes)
        grad_x = sharp * valid + (smooth if slip == "smoothing of ignored rows" else smooth * valid)
        count = len(x) if slip == "mean over all rows" else valid.sum()
        ctx.save_for_backward(grad_x / count)
        return (loss * valid).sum() / valid.sum()

    @once_differentiable
    def backward(ctx, grad_y):
        (grad_x,) = ctx.saved_tensors
        return grad_x * grad_y, None, None, None, None

    return forward, backward


def without_the_target(p, target):
    """p less the one-hot target."""
    return p - F.one_hot(target, p.shape[-1])


def linear_cross_entropy_forward(x, weight, target):
    log_p = torch.log_softmax(x @ weight.t(), -1)
    grad_z = without_the_target(log_p.exp(), target)
    return -log_p.gather(1, target[:, None])[:, 0], {"grad_z": grad_z}


@wrong(
    "first entry of grad_y",
    ("ignores-grad-output",),
    "unreduced: the first entry of grad_y stands for all",
    "linkedin/Liger-Kernel#968",
)
@backward_of(
    lambda x, weight, target: F.cross_entropy(x @ weight.t(), target, reduction="none"),
    lambda generator: (normal(generator, 5, 3), normal(generator, 6, 3), indices(generator, 6, 5)),
    forward=linear_cross_entropy_forward,
    once=True,
)
def linear_cross_entropy(slip, grad_y, x, weight, grad_z):
    grad_z = grad_z * (grad_y[0] if slip else grad_y[:, None])
    return grad_z @ weight, grad_z.t() @ x, None


def cross_entropy_in_chunks_forward(x, target, chunk):
    pairs = zip(x.split(chunk), target.split(chunk), strict=True)
    return sum(F.cross_entropy(*pair, reduction="sum") for pair in pairs) / len(x)


@wrong(
    "short last chunk",
    ("wrong-elements", "constant-factor"),
    "each chunk divides by its own size, and the last one is shorter",
    "linear cross-entropy in chunks in torchtune and Liger",
    ordinary=lambda generator: (normal(generator, 6, 4), indices(generator, 4, 6), 3),
)
@backward_of(
    lambda x, target, _: F.cross_entropy(x, target),
    lambda generator: (normal(generator, 7, 4), indices(generator, 4, 7), 3),
    forward=cross_entropy_in_chunks_forward,
    once=True,
)
def cross_entropy_in_chunks(slip, grad_y, x, target, chunk):
    chunks, grads = len(x.split(chunk)), []
    for some_x, some_target in zip(x.split(chunk), target.split(chunk), strict=True):
        count = len(some_x) * chunks if slip else len(x)
        grads.append(without_the_target(torch.softmax(some_x, -1), some_target) / count)
    return torch.cat(grads) * grad_y, None, None


def logsumexp_forward(x):
    largest = x.max(-1, keepdim=True).values
    total = torch.exp(x - largest).sum(-1, keepdim=True)
    return (largest + total.log()).squeeze(-1)


@backward_of(lambda x: torch.logsumexp(x, -1), normals((3, 4)), forward=logsumexp_forward)
def logsumexp(_, grad_y, x):
    return grad_y.unsqueeze(-1) * torch.softmax(x, -1)
