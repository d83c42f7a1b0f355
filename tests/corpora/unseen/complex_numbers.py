"""Complex numbers: conjugates, real parts, Fourier transforms."""

import torch

from tests.random_inputs import complex_normal, leaf, normal, normals

from .by_hand import backward_of, wrong


def complex_normals(*shapes):
    return lambda generator: tuple(complex_normal(generator, *shape) for shape in shapes)


@wrong("no n", ("constant-factor",), "the inverse transform without n", "HIPS/autograd#185")
@backward_of(torch.fft.fft, complex_normals((3, 5)), forward=lambda x: torch.fft.fft(x))
def fourier_transform(slip, grad_y):
    return torch.fft.ifft(grad_y) * (1 if slip else grad_y.shape[-1])


@wrong(
    "inner bins twice",
    ("missing-term", "missing-local-derivative"),
    "irfft mirrors the inner bins, which counts them twice",
    "locuslab/pytorch_fft#38",
)
@backward_of(torch.fft.rfft, normals((3, 6)), forward=lambda x: torch.fft.rfft(x))
def real_fourier_transform(slip, grad_y, x):
    n = x.shape[-1]
    if not slip:
        grad_y = grad_y.clone()
        last = None if n % 2 else -1
        grad_y[..., 1:last] = grad_y[..., 1:last] / 2
    return torch.fft.irfft(grad_y, n) * n


@wrong(
    "no conjugate",
    ("missing-local-derivative", "missing-term", "sign-flipped"),
    "the other factor is not conjugated",
    "EnzymeAD/Enzyme-JAX#2071",
)
@backward_of(torch.mul, complex_normals((3, 4), (3, 4)), forward=lambda a, b: a * b)
def complex_product(slip, grad_y, a, b):
    return (grad_y * b, grad_y * a) if slip else (grad_y * b.conj(), grad_y * a.conj())


def circular(x, kernel):
    n = x.shape[-1]
    return x @ kernel[(torch.arange(n)[:, None] - torch.arange(n)) % n].t()


@wrong(
    "no conjugate",
    ("transposed", "missing-local-derivative"),
    "a convolution again where the correlation is meant",
    "HazyResearch/flash-fft-conv#24",
)
@backward_of(
    circular,
    normals((3, 6), (6,)),
    forward=lambda x, kernel: torch.fft.irfft(
        torch.fft.rfft(x) * torch.fft.rfft(kernel), x.shape[-1]
    ),
)
def convolution_by_fourier(slip, grad_y, x, kernel):
    n, of_y = x.shape[-1], torch.fft.rfft(grad_y)
    of_x, of_kernel = torch.fft.rfft(x), torch.fft.rfft(kernel)
    if not slip:
        of_x, of_kernel = of_x.conj(), of_kernel.conj()
    return torch.fft.irfft(of_y * of_kernel, n), torch.fft.irfft(of_y * of_x, n).sum(0)


@wrong(
    "conjugate",
    ("missing-local-derivative", "sign-flipped"),
    "2·grad_y·z̄ for 2·grad_y·z",
    "the two conventions of a complex gradient, ∂/∂z and ∂/∂z̄",
)
@backward_of(
    lambda z: (z * z.conj()).real, complex_normals((3, 4)), forward=lambda z: z.real**2 + z.imag**2
)
def squared_modulus(slip, grad_y, z):
    return 2 * grad_y * (z.conj() if slip else z)


def one_zero(generator):
    z = complex_normal(generator, 3, 4).detach()
    z[1, 2] = 0
    return (leaf(z),)


@wrong(
    "zero",
    ("not-finite",),
    "z/|z| is 0/0 at 0",
    "magnitudes of spectrograms in torchaudio",
    ordinary=complex_normals((3, 4)),
)
@backward_of(torch.abs, one_zero, forward=lambda z: z.abs())
def modulus(slip, grad_y, z):
    return grad_y * z / z.abs() if slip else grad_y * torch.sgn(z)


@wrong(
    "absolute value",
    ("not-linear-in-grad-output",),
    "|w| for Re w in the gradient of a real angle",
    "real parameters in kernels of state spaces",
)
@backward_of(
    lambda z, angle: torch.polar(torch.ones_like(angle), angle) * z,
    lambda generator: (complex_normal(generator, 3, 4), normal(generator, 3, 4)),
    forward=lambda z, angle: z * torch.exp(1j * angle),
)
def turned_by_an_angle(slip, grad_y, z, angle):
    phase = torch.exp(1j * angle)
    w = grad_y * (1j * z * phase).conj()
    return grad_y * phase.conj(), w.abs() if slip else w.real
