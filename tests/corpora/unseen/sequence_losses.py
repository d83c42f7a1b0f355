"""Losses over sequences: a chain's partition function and CTC."""

import torch
from torch.autograd.function import once_differentiable

from tests.random_inputs import leaf, normal, normals

from .by_hand import Slip, by_hand


def partition(emission, transition):
    """log Σ over all paths; emission (steps, batch, states), transition (states, states)."""
    alpha = emission[0]
    for step in emission[1:]:
        alpha = torch.logsumexp(alpha[:, :, None] + transition, 1) + step
    return torch.logsumexp(alpha, -1)


@by_hand(
    partition,
    normals((4, 3, 3), (3, 3)),
    Slip(
        "transitions without grad_y",
        ("ignores-grad-output",),
        "the transitions' gradient is not multiplied by grad_y",
        "pytorch/pytorch#11750",
    ),
)
def chain_partition(slip):
    def forward(ctx, emission, transition):
        alpha = [emission[0]]
        for step in emission[1:]:
            alpha.append(torch.logsumexp(alpha[-1][:, :, None] + transition, 1) + step)
        ctx.save_for_backward(emission, transition, torch.stack(alpha))
        return torch.logsumexp(alpha[-1], -1)

    @once_differentiable
    def backward(ctx, grad_y):
        emission, transition, alpha = ctx.saved_tensors
        marginal = torch.softmax(alpha[-1], -1)
        grad_transition = torch.zeros_like(transition)
        grad_emission = [marginal * grad_y[:, None]]
        for t in range(len(emission) - 1, 0, -1):
            step = torch.softmax(alpha[t - 1][:, :, None] + transition, 1) * marginal[:, None, :]
            grad_step = step if slip else step * grad_y[:, None, None]
            grad_transition = grad_transition + grad_step.sum(0)
            marginal = step.sum(2)
            grad_emission.append(marginal * grad_y[:, None])
        return torch.stack(grad_emission[::-1]), grad_transition

    return forward, backward


def ctc_loss(log_p, target, blank=0):
    """By the recursion over the target with blanks between; log_p (steps, labels)."""
    extended = [blank]
    for label in target.tolist():
        extended += [label, blank]
    never = log_p.new_full((), -1e30)
    alpha = [log_p[0, extended[0]], log_p[0, extended[1]]] + [never] * (len(extended) - 2)
    for step in log_p[1:]:
        later = []
        for s, label in enumerate(extended):
            ways = [alpha[s], *alpha[max(s - 1, 0) : s]]
            if s > 1 and label not in (blank, extended[s - 2]):
                ways.append(alpha[s - 2])
            later.append(torch.logsumexp(torch.stack(ways), 0) + step[label])
        alpha = later
    return -torch.logsumexp(torch.stack(alpha[-2:]), 0)


@by_hand(
    ctc_loss,
    lambda generator: (leaf(normal(generator, 6, 4).log_softmax(-1)), torch.tensor([1, 2, 2])),
    Slip(
        "gradient of logits",
        ("missing-term",),
        "exp(log_p) is added: the gradient is that with respect to logits",
        "pytorch/pytorch#52241",
    ),
)
def connectionist_temporal_classification(slip):
    """Autograd makes the gradient in forward."""

    def forward(ctx, log_p, target):
        with torch.enable_grad():
            x = log_p.detach().requires_grad_()
            loss = ctc_loss(x, target)
            (grad_x,) = torch.autograd.grad(loss, x)
        ctx.save_for_backward(grad_x + log_p.exp() if slip else grad_x)
        return loss.detach()

    @once_differentiable
    def backward(ctx, grad_y):
        return ctx.saved_tensors[0] * grad_y, None

    return forward, backward
