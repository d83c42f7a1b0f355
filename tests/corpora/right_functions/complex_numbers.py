"""Complex numbers, as complex tensors and as pairs of real ones."""

import torch

from tests.random_inputs import complex_normal, leaf, normals, positive

from .right_function import family


def complexes(*shapes):
    def draw(generator):
        return tuple(complex_normal(generator, *shape) for shape in shapes)

    return draw


def away_from_zero(generator):
    z = complex_normal(generator, 4, 3).detach()
    return (leaf(z / z.abs() * (0.5 + z.abs())),)


def rotated_pairs(x, rotation):
    """Rotary embedding: pairs of real numbers, multiplied as complex ones."""
    product = torch.view_as_complex(x) * torch.view_as_complex(rotation)
    return torch.view_as_real(product)


def modulus_and_angle(generator):
    return positive(generator, 4, 3), positive(generator, 4, 3)


FUNCTIONS = family(
    ("complex mul", torch.mul, complexes((4, 3), (3,))),
    ("complex abs", torch.abs, away_from_zero),
    ("complex div", torch.div, lambda g: (complex_normal(g, 4, 3), *away_from_zero(g))),
    ("complex exp", torch.exp, complexes((3, 4))),
    ("complex matmul", torch.matmul, complexes((4, 3), (3, 5))),
    ("conj", torch.conj_physical, complexes((4, 3))),
    ("real", torch.real, complexes((3, 5))),
    ("imag", torch.imag, complexes((5, 3))),
    ("view_as_real", torch.view_as_real, complexes((4, 3))),
    ("view_as_complex of pairs", rotated_pairs, normals((4, 3, 2), (3, 2))),
    ("polar", torch.polar, modulus_and_angle),
    ("rfft", torch.fft.rfft, normals((3, 8))),
    ("fft", torch.fft.fft, complexes((3, 5))),
    ("angle", torch.angle, away_from_zero),
)
