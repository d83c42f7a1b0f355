"""Losses over sequences: a chain's partition function and CTC."""

import torch

from tests.random_inputs import leaf, normal, normals

from .by_hand import backward_of, wrong


def partition(emission, transition):
    """log Σ over all paths; emission (steps, batch, states), transition (states, states)."""
    alpha = emission[0]
    for step in emission[1:]:
        alpha = torch.logsumexp(alpha[:, :, None] + transition, 1) + step
    return torch.logsumexp(alpha, -1)


def chain_partition_forward(emission, transition):
    alpha = [emission[0]]
    for step in emission[1:]:
        alpha.append(torch.logsumexp(alpha[-1][:, :, None] + transition, 1) + step)
    return torch.logsumexp(alpha[-1], -1), {"alpha": torch.stack(alpha)}


@wrong(
    "transitions without grad_y",
    ("ignores-grad-output",),
    "the transitions' gradient is not multiplied by grad_y",
    "pytorch/pytorch#11750",
)
@backward_of(partition, normals((4, 3, 3), (3, 3)), forward=chain_partition_forward, once=True)
def chain_partition(slip, grad_y, emission, transition, alpha):
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


def loss_with_its_gradient(log_p, target):
    """Autograd makes the gradient in forward."""
    with torch.enable_grad():
        x = log_p.detach().requires_grad_()
        loss = ctc_loss(x, target)
        (grad_x,) = torch.autograd.grad(loss, x)
    return loss.detach(), {"grad_log_p": grad_x}


@wrong(
    "gradient of logits",
    ("missing-term",),
    "exp(log_p) is added: the gradient is that with respect to logits",
    "pytorch/pytorch#52241",
)
@backward_of(
    ctc_loss,
    lambda generator: (leaf(normal(generator, 6, 4).log_softmax(-1)), torch.tensor([1, 2, 2])),
    forward=loss_with_its_gradient,
    once=True,
)
def connectionist_temporal_classification(slip, grad_y, log_p, grad_log_p):
    return (grad_log_p + log_p.exp() if slip else grad_log_p) * grad_y, None
