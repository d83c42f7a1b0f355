"""The same call, another answer."""

import torch

from .planted import PlantedBug, SavesInputs, normals


class Sin(SavesInputs):
    """y = sin x."""

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return grad_y * x.cos()


class SinWithRace(Sin):
    """Once in three calls the first entry is lost, as in a race between blocks."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_x = Sin.backward(ctx, grad_y)
        if grad_x.numel() == 0 or torch.rand(()) > 1 / 3:
            return grad_x
        lost = torch.ones_like(grad_x).index_put(
            tuple(torch.zeros(grad_x.dim(), dtype=torch.long)), torch.tensor(0.5).to(grad_x)
        )
        return grad_x * lost


class SinWithNoisyGradient(Sin):
    """Every entry carries fresh noise of one in a million."""

    @staticmethod
    def backward(ctx, grad_y):
        return Sin.backward(ctx, grad_y) * (1 + 1e-6 * torch.randn_like(grad_y))


class SinWithNoisyForward(Sin):
    """The forward carries fresh noise of one in a hundred thousand; the backward is right."""

    @staticmethod
    def forward(x):
        return x.sin() + 1e-5 * torch.randn_like(x)


class SinWithStepsInForward(Sin):
    """The forward is rounded to multiples of 1/4096; the backward is right."""

    @staticmethod
    def forward(x):
        return (x.sin() * 4096).round() / 4096


def sin_bug(name, wrong, causes, source, behavioural):
    x = normals((4, 5))
    return PlantedBug(name, wrong, Sin, torch.sin, x, x, causes, source, behavioural)


BUGS = (
    sin_bug(
        "sin loses an entry once in three backwards",
        SinWithRace,
        ("nondeterministic",),
        "Dao-AILab/flash-attention#2481",
        behavioural=True,
    ),
    sin_bug(
        "sin adds noise to its gradient",
        SinWithNoisyGradient,
        ("nondeterministic",),
        "noise in every gradient",
        behavioural=True,
    ),
    sin_bug(
        "sin adds noise to its forward",
        SinWithNoisyForward,
        ("forward-noisy", "nondeterministic"),
        "pytorch/pytorch#64163",
        behavioural=False,
    ),
    sin_bug(
        "sin rounds its forward to steps",
        SinWithStepsInForward,
        ("forward-wrong", "forward-noisy"),
        "pytorch/pytorch#64163",
        behavioural=False,
    ),
)
