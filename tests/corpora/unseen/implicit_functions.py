"""Solutions of equations, differentiated through the equation and not through the solver."""

import math

import torch

from tests.random_inputs import leaf, normal, uniform

from .by_hand import backward_of, wrong
from .matrices import identity


def fixed_point(x, weight):
    """z = tanh(weight z + x)."""
    z = torch.zeros_like(x)
    for _ in range(200):
        z = torch.tanh(weight @ z + x)
    return z


@wrong(
    "no Jacobian",
    ("missing-term", "missing-local-derivative"),
    "(I − Jᵀ)⁻¹ counts as I",
    "backpropagation of equilibrium models without a Jacobian",
)
@wrong(
    "Jacobian not transposed",
    ("transposed",),
    "the linear system has J for Jᵀ",
    "implicit differentiation in jaxopt",
)
@backward_of(
    fixed_point,
    lambda generator: (normal(generator, 4), leaf(normal(generator, 4, 4) * 0.15)),
    once=True,
)
def equilibrium(slip, grad_y, y, weight):
    slope = torch.diag(1 - y * y)
    jacobian = slope @ weight
    adjoint = grad_y
    if slip != "no Jacobian":
        matrix = jacobian if slip == "Jacobian not transposed" else jacobian.t()
        adjoint = torch.linalg.solve(identity(len(y)) - matrix, grad_y)
    grad_x = slope @ adjoint
    return grad_x, torch.outer(grad_x, y)


def conditions(q, g):
    """The matrix of the conditions of an optimum of ½xᵀQx − pᵀx with Gx = h."""
    zeros = q.new_zeros(len(g), len(g))
    return torch.cat([torch.cat([q, g.t()], 1), torch.cat([g, zeros], 1)])


def program(generator):
    p, h = normal(generator, 4), normal(generator, 2)
    m, g = normal(generator, 4, 4), normal(generator, 2, 4)
    return p, h, leaf(m @ m.t() + identity(4)), g


def quadratic_program_forward(p, h, q, g):
    matrix = conditions(q, g)
    z = torch.linalg.solve(matrix, torch.cat([p, h]))
    return z[: len(p)], {"matrix": matrix, "z": z}


@wrong(
    "no multipliers",
    ("missing-term",),
    "the term with the multipliers is absent from G's gradient",
    "OptNet, qpth and cvxpylayers",
)
@backward_of(
    lambda p, h, q, g: torch.linalg.solve(conditions(q, g), torch.cat([p, h]))[: len(p)],
    program,
    forward=quadratic_program_forward,
    once=True,
)
def quadratic_program(slip, grad_y, matrix, z):
    n = len(grad_y)
    padded = torch.cat([grad_y, grad_y.new_zeros(len(z) - n)])
    d = torch.linalg.solve(matrix.t(), padded)
    (x, multiplier), (grad_p, grad_h) = (z[:n], z[n:]), (d[:n], d[n:])
    grad_g = -torch.outer(grad_h, x)
    if not slip:
        grad_g = grad_g - torch.outer(multiplier, grad_p)
    return grad_p, grad_h, -torch.outer(grad_p, x), grad_g


def potentials(cost, eps):
    """Of entropic transport between two uniform distributions."""
    rows, columns = cost.shape
    f, h = cost.new_zeros(rows), cost.new_zeros(columns)
    for _ in range(300):
        f = -eps * torch.logsumexp((h - cost) / eps - math.log(columns), 1)
        h = -eps * torch.logsumexp((f[:, None] - cost) / eps - math.log(rows), 0)
    return f, h


def sinkhorn_forward(cost, eps):
    f, h = potentials(cost, eps)
    plan = torch.exp((f[:, None] + h - cost) / eps) / cost.numel()
    return f.mean() + h.mean(), {"plan": plan}


@backward_of(
    lambda cost, eps: sum(each.mean() for each in potentials(cost, eps)),
    lambda generator: (uniform(generator, 0.0, 1.0, 4, 5), 0.5),
    forward=sinkhorn_forward,
    once=True,
)
def sinkhorn(_, grad_y, plan):
    """By the envelope theorem the cost's gradient is the plan."""
    return grad_y * plan, None
