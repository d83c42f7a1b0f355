"""Complex numbers: conjugates, real parts, Fourier transforms."""

import torch

from tests.random_inputs import complex_normal, leaf, normal, normals

from .by_hand import Slip, by_hand


def complex_normals(*shapes):
    return lambda generator: tuple(complex_normal(generator, *shape) for shape in shapes)


@by_hand(
    torch.fft.fft,
    complex_normals((3, 5)),
    Slip("no n", ("constant-factor",), "the inverse transform without n", "HIPS/autograd#185"),
)
def fourier_transform(slip):
    def forward(_, x):
        return torch.fft.fft(x)

    def backward(_, grad_y):
        return torch.fft.ifft(grad_y) * (1 if slip else grad_y.shape[-1])

    return forward, backward


@by_hand(
    torch.fft.rfft,
    normals((3, 6)),
    Slip(
        "inner bins twice",
        ("missing-term", "missing-local-derivative"),
        "irfft mirrors the inner bins, which counts them twice",
        "locuslab/pytorch_fft#38",
    ),
)
def real_fourier_transform(slip):
    def forward(ctx, x):
        ctx.n = x.shape[-1]
        return torch.fft.rfft(x)

    def backward(ctx, grad_y):
        if not slip:
            grad_y = grad_y.clone()
            last = None if ctx.n % 2 else -1
            grad_y[..., 1:last] = grad_y[..., 1:last] / 2
        return torch.fft.irfft(grad_y, ctx.n) * ctx.n

    return forward, backward


@by_hand(
    torch.mul,
    complex_normals((3, 4), (3, 4)),
    Slip(
        "no conjugate",
        ("missing-local-derivative", "missing-term", "sign-flipped"),
        "the other factor is not conjugated",
        "EnzymeAD/Enzyme-JAX#2071",
    ),
)
def complex_product(slip):
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    def backward(ctx, grad_y):
        a, b = ctx.saved_tensors
        return (grad_y * b, grad_y * a) if slip else (grad_y * b.conj(), grad_y * a.conj())

    return forward, backward


def circular(x, kernel):
    n = x.shape[-1]
    return x @ kernel[(torch.arange(n)[:, None] - torch.arange(n)) % n].t()


@by_hand(
    circular,
    normals((3, 6), (6,)),
    Slip(
        "no conjugate",
        ("transposed", "missing-local-derivative"),
        "a convolution again where the correlation is meant",
        "HazyResearch/flash-fft-conv#24",
    ),
)
def convolution_by_fourier(slip):
    def forward(ctx, x, kernel):
        ctx.save_for_backward(x, kernel)
        return torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(kernel), x.shape[-1])

    def backward(ctx, grad_y):
        x, kernel = ctx.saved_tensors
        n, of_y = x.shape[-1], torch.fft.rfft(grad_y)
        of_x, of_kernel = torch.fft.rfft(x), torch.fft.rfft(kernel)
        if not slip:
            of_x, of_kernel = of_x.conj(), of_kernel.conj()
        return torch.fft.irfft(of_y * of_kernel, n), torch.fft.irfft(of_y * of_x, n).sum(0)

    return forward, backward


@by_hand(
    lambda z: (z * z.conj()).real,
    complex_normals((3, 4)),
    Slip(
        "conjugate",
        ("missing-local-derivative", "sign-flipped"),
        "2·grad_y·z̄ for 2·grad_y·z",
        "the two conventions of a complex gradient, ∂/∂z and ∂/∂z̄",
    ),
)
def squared_modulus(slip):
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z.real**2 + z.imag**2

    def backward(ctx, grad_y):
        (z,) = ctx.saved_tensors
        return 2 * grad_y * (z.conj() if slip else z)

    return forward, backward


def one_zero(generator):
    z = complex_normal(generator, 3, 4).detach()
    z[1, 2] = 0
    return (leaf(z),)


@by_hand(
    torch.abs,
    one_zero,
    Slip(
        "zero",
        ("not-finite",),
        "z/|z| is 0/0 at 0",
        "magnitudes of spectrograms in torchaudio",
        ordinary=complex_normals((3, 4)),
    ),
)
def modulus(slip):
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return z.abs()

    def backward(ctx, grad_y):
        (z,) = ctx.saved_tensors
        return grad_y * z / z.abs() if slip else grad_y * torch.sgn(z)

    return forward, backward


@by_hand(
    lambda z, angle: torch.polar(torch.ones_like(angle), angle) * z,
    lambda generator: (complex_normal(generator, 3, 4), normal(generator, 3, 4)),
    Slip(
        "absolute value",
        ("not-linear-in-grad-output",),
        "|w| for Re w in the gradient of a real angle",
        "real parameters in kernels of state spaces",
    ),
)
def turned_by_an_angle(slip):
    def forward(ctx, z, angle):
        ctx.save_for_backward(z, angle)
        return z * torch.exp(1j * angle)

    def backward(ctx, grad_y):
        z, angle = ctx.saved_tensors
        phase = torch.exp(1j * angle)
        w = grad_y * (1j * z * phase).conj()
        return grad_y * phase.conj(), w.abs() if slip else w.real

    return forward, backward
