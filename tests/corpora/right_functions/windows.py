"""Convolution, pooling, padding, unfolding and resampling."""

from torch.nn import functional as F

from tests.random_inputs import leaf, normal, normals

from .right_function import family


def image_and_grid(generator):
    return normal(generator, 2, 3, 5, 6), leaf(normal(generator, 2, 4, 3, 2).tanh())


def unfolded(x):
    return x.unfold(-1, 3, 2)


IMAGE = normals((2, 3, 5, 6))
FUNCTIONS = family(
    ("conv1d", F.conv1d, normals((2, 3, 8), (4, 3, 3), (4,)), {"stride": 2, "padding": 1}),
    ("conv1d in groups", F.conv1d, normals((2, 4, 7), (6, 2, 3)), {"groups": 2, "dilation": 2}),
    ("conv2d", F.conv2d, normals((2, 3, 6, 5), (4, 3, 3, 2), (4,)), {"padding": (1, 0)}),
    ("conv3d", F.conv3d, normals((1, 2, 4, 3, 5), (3, 2, 2, 2, 2))),
    ("conv_transpose1d", F.conv_transpose1d, normals((2, 3, 5), (3, 4, 3)), {"stride": 2}),
    ("conv_transpose2d", F.conv_transpose2d, normals((2, 3, 4, 3), (3, 2, 2, 3))),
    ("avg_pool1d", F.avg_pool1d, normals((2, 3, 9)), {"kernel_size": 3, "padding": 1}),
    ("avg_pool2d", F.avg_pool2d, IMAGE, {"kernel_size": 2, "ceil_mode": True}),
    ("adaptive_avg_pool2d", F.adaptive_avg_pool2d, IMAGE, {"output_size": (2, 4)}),
    ("lp_pool1d", F.lp_pool1d, normals((2, 3, 8)), {"norm_type": 2, "kernel_size": 2}),
    ("interpolate nearest", F.interpolate, IMAGE, {"scale_factor": 2}),
    ("interpolate bilinear", F.interpolate, IMAGE, {"size": (7, 4), "mode": "bilinear"}),
    ("interpolate bicubic", F.interpolate, IMAGE, {"size": (8, 9), "mode": "bicubic"}),
    ("grid_sample", F.grid_sample, image_and_grid, {"align_corners": False}),
    ("pad with a constant", F.pad, normals((3, 4)), {"pad": (1, 2, 0, 1), "value": 0.5}),
    ("pad by cutting", F.pad, normals((4, 6)), {"pad": (-1, 2)}),
    ("pad by reflection", F.pad, normals((2, 3, 6)), {"pad": (2, 1), "mode": "reflect"}),
    ("pad by replication", F.pad, normals((2, 3, 5)), {"pad": (1, 2), "mode": "replicate"}),
    ("pad in a circle", F.pad, normals((2, 3, 5)), {"pad": (1, 2), "mode": "circular"}),
    ("overlapping windows", unfolded, normals((3, 8))),
    ("unfold", F.unfold, IMAGE, {"kernel_size": (2, 3)}),
    ("fold", F.fold, normals((2, 12, 12)), {"output_size": (4, 5), "kernel_size": 2}),
    ("pixel_shuffle", F.pixel_shuffle, normals((2, 8, 3, 4)), {"upscale_factor": 2}),
)
