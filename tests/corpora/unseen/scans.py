"""Linear recurrences: scans, state spaces, attention without a softmax."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals, uniform

from .by_hand import backward_of, wrong


def scanned(decay, x, chunk):
    """h = decay · h + x, step by step."""
    h, states = torch.zeros_like(x[0]), []
    for step_decay, step in zip(decay, x, strict=True):
        h = step_decay * h + step
        states.append(h)
    return torch.stack(states)


def in_chunks_of(chunk):
    return lambda generator: (uniform(generator, 0.0, 1.0, 6, 3), normal(generator, 6, 3), chunk)


@wrong(
    "off by one",
    ("missing-local-derivative", "missing-term"),
    "the decay of this step for that of the next one in the reverse scan",
    "state-spaces/mamba#368",
    tripping=in_chunks_of(8),
)
@wrong(
    "border of chunks",
    ("missing-term",),
    "nothing is carried over the border of a chunk",
    "kernels in chunks of fla-org/flash-linear-attention",
    ordinary=in_chunks_of(8),
)
@backward_of(scanned, in_chunks_of(4), once=True)
def scan(slip, grad_y, decay, y, chunk):
    """The right one has no use for the size of a chunk."""
    grad_decay, grad_x = torch.zeros_like(decay), torch.zeros_like(grad_y)
    grad_h = torch.zeros_like(grad_y[0])
    for t in reversed(range(len(decay))):
        if t + 1 < len(decay):
            grad_h = grad_h * decay[t if slip == "off by one" else t + 1]
        if slip == "border of chunks" and (t + 1) % chunk == 0:
            grad_h = torch.zeros_like(grad_h)
        grad_h = grad_h + grad_y[t]
        grad_x[t] = grad_h
        if t:
            grad_decay[t] = grad_h * y[t - 1]
    return grad_decay, grad_x, None


def positive_step(delta, softplus):
    return F.softplus(delta) if softplus else delta


def steps(softplus):
    def draw(generator):
        delta, a = uniform(generator, 0.0, 1.0, 5, 3), leaf(-uniform(generator, 0.0, 1.0, 3))
        return delta, a, normal(generator, 5, 3), softplus

    return draw


@wrong(
    "no softplus",
    ("missing-local-derivative",),
    "the derivative of the softplus is missing",
    "delta_softplus in state-spaces/mamba#368",
    ordinary=steps(softplus=False),
)
@backward_of(
    lambda delta, a, x, softplus: torch.exp(positive_step(delta, softplus) * a) * x,
    steps(softplus=True),
)
def discretised(slip, grad_y, delta, a, x, softplus):
    step = positive_step(delta, softplus)
    decay = torch.exp(step * a)
    grad_step = grad_y * decay * x * a
    if softplus and not slip:
        grad_step = grad_step * delta.sigmoid()
    return grad_step, (grad_y * decay * x * step).sum(0), grad_y * decay, None


def states_of(k, v, start):
    states = [start]
    for key, value in zip(k, v, strict=True):
        states.append(states[-1] + torch.outer(key, value))
    return states[1:]


def attended(q, k, v, start):
    states = states_of(k, v, start)
    return torch.stack([query @ state for query, state in zip(q, states, strict=True)]), states[-1]


@wrong(
    "final state",
    ("missing-term", "ignores-grad-output"),
    "the cotangent of the final state is dropped",
    "huggingface/transformers#23774",
)
@backward_of(attended, normals((4, 3), (4, 3), (4, 2), (3, 2)))
def linear_attention(slip, grad_y, grad_state, q, k, v, start):
    states = states_of(k, v, start)
    grad_q, grad_k, grad_v = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    if slip:
        grad_state = torch.zeros_like(start)
    for t in reversed(range(len(q))):
        grad_q[t] = states[t] @ grad_y[t]
        grad_state = grad_state + torch.outer(q[t], grad_y[t])
        grad_k[t] = grad_state @ v[t]
        grad_v[t] = k[t] @ grad_state
    return grad_q, grad_k, grad_v, grad_state
