"""Images that are read between their pixels."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normal, uniform

from .by_hand import backward_of, wrong


def lengths(before, after):
    return lambda generator: (normal(generator, 2, before), after)


def shares(before, after, dtype):
    place = torch.arange(after, dtype=dtype) * (before - 1) / (after - 1)
    return (1 - (place[:, None] - torch.arange(before, dtype=dtype)).abs()).clamp_min(0)


@wrong(
    "fixed window",
    ("missing-term",),
    "outputs beyond a fixed window around an input are dropped",
    "flagos-ai/FlagGems#5218",
    ordinary=lengths(6, 7),
)
@backward_of(
    lambda x, length: F.interpolate(x[:, None], length, mode="linear", align_corners=True)[:, 0],
    lengths(2, 10),
    forward=lambda x, length: x @ shares(x.shape[-1], length, x.dtype).t(),
)
def linear_interpolation(slip, grad_y, x):
    before, after = x.shape[-1], grad_y.shape[-1]
    share = shares(before, after, grad_y.dtype)
    if slip:
        centre = (torch.arange(before) * (after - 1) / (before - 1)).round()
        share = share * ((torch.arange(after)[:, None] - centre).abs() <= after // before)
    return grad_y @ share, None


def within_the_image(generator):
    return normal(generator, 5, 5), uniform(generator, -0.9, 0.9, 6, 2)


def partly_outside(generator):
    image, grid = normal(generator, 5, 6), uniform(generator, -0.9, 0.9, 6, 2).detach()
    grid[1, 0], grid[4, 1] = 1.4, -1.3
    return image, leaf(grid)


def sampled(image, grid):
    settings = {"padding_mode": "border", "align_corners": True}
    return F.grid_sample(image[None, None], grid[None, None], **settings)[0, 0, 0]


def places(image, grid):
    """Where the points are, before the clamp; their shares of a pixel; the pixel."""
    largest = torch.tensor([image.shape[1] - 1.0, image.shape[0] - 1.0], dtype=grid.dtype)
    place = (grid + 1) / 2 * largest
    clamped = place.clamp_min(0).minimum(largest)
    corner = clamped.floor().minimum(largest - 1)
    (share_x, share_y), (j, i) = (clamped - corner).unbind(-1), corner.long().unbind(-1)
    return place, largest, share_x, share_y, i, j


def grid_sample_forward(image, grid):
    _, _, x, y, i, j = places(image, grid)
    above = (1 - x) * image[i, j] + x * image[i, j + 1]
    below = (1 - x) * image[i + 1, j] + x * image[i + 1, j + 1]
    return (1 - y) * above + y * below


@wrong(
    "border",
    ("wrong-elements",),
    "the grid's gradient does not see the clamp at the border",
    "pytorch/pytorch#23925",
    ordinary=within_the_image,
)
@wrong(
    "scale",
    ("constant-factor",),
    "width/2 for (width − 1)/2 in the grid's gradient",
    "NVlabs/stylegan3#220",
    tripping=within_the_image,
)
@wrong(
    "exchanged coordinates",
    ("swapped-arguments", "transposed"),
    "the gradients of the two coordinates are exchanged",
    "grids of spatial transformers",
    tripping=within_the_image,
)
@backward_of(sampled, partly_outside, forward=grid_sample_forward, once=True)
def grid_sample(slip, grad_y, image, grid):
    """image (height, width), grid (points, 2) in −1 … 1, x before y; the border repeats."""
    place, largest, x, y, i, j = places(image, grid)
    grad_image = torch.zeros_like(image)
    for below, share_y in enumerate((1 - y, y)):
        for right, share_x in enumerate((1 - x, x)):
            pixel = (i + below, j + right)
            grad_image.index_put_(pixel, share_y * share_x * grad_y, accumulate=True)
    top, bottom = image[i, j + 1] - image[i, j], image[i + 1, j + 1] - image[i + 1, j]
    left, right = image[i + 1, j] - image[i, j], image[i + 1, j + 1] - image[i, j + 1]
    slope = torch.stack([(1 - y) * top + y * bottom, (1 - x) * left + x * right], -1)
    if slip != "border":
        slope = slope * ((place >= 0) & (place <= largest))
    slope = slope * ((largest + 1) / 2 if slip == "scale" else largest / 2)
    if slip == "exchanged coordinates":
        slope = slope.flip(-1)
    return grad_image, slope * grad_y[:, None]
