"""The same call, another answer."""

import torch

from tests.random_inputs import normals

from .planted import at, wrong_backward, wrong_forward
from .right_rules import Sin


@wrong_backward(Sin, "nondeterministic", source="Dao-AILab/flash-attention#2481", behavioural=True)
@at(normals((4, 5)))
def sin_loses_an_entry_once_in_three_backwards(grad_y, x):
    """Once in three calls the first entry is lost, as in a race between blocks."""
    grad_x = Sin.gradients(grad_y, x)
    if grad_x.numel() == 0 or torch.rand(()) > 1 / 3:
        return grad_x
    lost = torch.ones_like(grad_x).index_put(
        tuple(torch.zeros(grad_x.dim(), dtype=torch.long)), torch.tensor(0.5).to(grad_x)
    )
    return grad_x * lost


@wrong_backward(Sin, "nondeterministic", source="noise in every gradient", behavioural=True)
@at(normals((4, 5)))
def sin_adds_noise_to_its_gradient(grad_y, x):
    """Every entry carries fresh noise of one in a million."""
    return Sin.gradients(grad_y, x) * (1 + 1e-6 * torch.randn_like(grad_y))


@wrong_forward(Sin, "forward-noisy", "nondeterministic", source="pytorch/pytorch#64163")
@at(normals((4, 5)))
def sin_adds_noise_to_its_forward(x):
    """Of one in a hundred thousand; the backward is right."""
    return x.sin() + 1e-5 * torch.randn_like(x)


@wrong_forward(Sin, "forward-wrong", "forward-noisy", source="pytorch/pytorch#64163")
@at(normals((4, 5)))
def sin_rounds_its_forward_to_steps(x):
    """To multiples of 1/4096; the backward is right."""
    return (x.sin() * 4096).round() / 4096
