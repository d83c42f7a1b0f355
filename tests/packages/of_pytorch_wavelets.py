"""pytorch_wavelets: wavelet transforms, whose gradients are the transforms back."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.packages.published import Shelf

wavelets = pytest.importorskip(
    "pytorch_wavelets", reason="pytorch_wavelets or setuptools<81 is not installed"
)
pywt = pytest.importorskip("pywt")
scattering = pytest.importorskip("pytorch_wavelets.scatternet.lowlevel")
FUNCTIONS = Shelf("pytorch_wavelets")
LOW_ONLY = "where low needs no gradient, high gets none; and with a mirrored or periodic border \
both gradients are those of another border, for backward extends grad_output as an image"
MIRRORED = "the gradient leaves out what the mirrored border adds: backward is that of a border of \
zeros, in every mode but zero, and in periodization where the length is odd"

forward1d = wavelets.DWT1DForward(J=1, wave="db2", mode="zero")
mirrored1d = wavelets.DWT1DForward(J=1, wave="db2", mode="symmetric")
inverse1d = wavelets.DWT1DInverse(wave="db3", mode="zero")
forward2d = wavelets.DWTForward(J=2, wave="db3", mode="zero")
mirrored2d = wavelets.DWTForward(J=1, wave="db2", mode="symmetric")
inverse2d = wavelets.DWTInverse(wave="db2", mode="periodization")
dual_tree = wavelets.DTCWTForward(J=2, biort="near_sym_a", qshift="qshift_a")
scatter = wavelets.ScatLayer(magbias=1e-2)


def filter_and_halve(x: Tensor) -> tuple[Tensor, Tensor]:
    wavelet = pywt.Wavelet("db2")
    taps = len(wavelet.dec_lo)
    padded = F.pad(x, (taps - 2, taps - 1))

    def part(filter: list[float]) -> Tensor:
        kernel = torch.tensor(filter, dtype=x.dtype).flip(0).expand(x.shape[1], 1, taps)
        return F.conv1d(padded, kernel, stride=2, groups=x.shape[1])

    return part(wavelet.dec_lo), part(wavelet.dec_hi)


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 13),), filter_and_halve)
def dwt1d(x: Tensor) -> tuple[Tensor, Tensor]:
    low, high = forward1d(x)
    return low, high[0]


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 13),), right=False, because=MIRRORED)
def dwt1d_of_a_mirrored_signal(x: Tensor) -> tuple[Tensor, Tensor]:
    low, high = mirrored1d(x)
    return low, high[0]


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 2, 9), draw.normal(3, 2, 9)), right=False, because=LOW_ONLY
)
def idwt1d(low: Tensor, high: Tensor) -> Tensor:
    return inverse1d((low, [high]))


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 13, 17),))
def dwt2d(x: Tensor) -> tuple[Tensor, ...]:
    low, high = forward2d(x)
    return low, *high


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 3, 11, 14),),
    right=False,
    because=MIRRORED,
)
def dwt2d_of_a_mirrored_image(x: Tensor) -> tuple[Tensor, ...]:
    low, high = mirrored2d(x)
    return low, *high


@FUNCTIONS.holds(
    lambda draw: (draw.normal(2, 1, 8, 6), draw.normal(2, 1, 3, 8, 6)),
    right=False,
    because=LOW_ONLY,
)
def idwt2d(low: Tensor, high: Tensor) -> Tensor:
    return inverse2d((low, [high]))


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 12, 20),))
def dtcwt(x: Tensor) -> tuple[Tensor, ...]:
    low, high = dual_tree(x)
    return low, *high


@FUNCTIONS.holds(lambda draw: (draw.normal(2, 3, 8, 12),))
def scattering_layer(x: Tensor) -> Tensor:
    return scatter(x)


@FUNCTIONS.holds(
    lambda draw: (draw.normal(3, 4, 5), draw.normal(3, 4, 5), 0.1),
    lambda x, y, b: (x * x + y * y + b * b).sqrt() - b,
    right=False,
    because="backward raises where x needs no gradient and y does: it was saved for x alone",
)
def smooth_magnitude(x: Tensor, y: Tensor, b: float) -> Tensor:
    return scattering.SmoothMagFn.apply(x, y, b)
