"""Max, min, sort, median and their like, at distinct values and at ties."""

import torch
from torch.nn import functional as F

from tests.random_inputs import leaf, normals, small_integers

from .right_function import family

DISTINCT = normals((4, 5))
TIED = small_integers(4, 5)


def with_indices(function):
    """The same function, returning a plain tuple (values, indices)."""

    def pair(x, **kwargs):
        return tuple(function(x, **kwargs))

    return pair


def image_of_ties(generator):
    (image,) = small_integers(2, 3, 6, 8)(generator)
    return (leaf(image),)


ALONG = {"dim": -1}
FUNCTIONS = family(
    ("max of everything", torch.max, DISTINCT),
    ("max of everything at ties", torch.max, TIED),
    ("max along", with_indices(torch.max), DISTINCT, ALONG),
    ("max along at ties", with_indices(torch.max), TIED, ALONG),
    ("min along at ties", with_indices(torch.min), TIED, ALONG),
    ("amax at ties", torch.amax, TIED, ALONG),
    ("amin at ties", torch.amin, TIED, ALONG),
    ("sort", with_indices(torch.sort), DISTINCT, ALONG),
    ("sort at ties", with_indices(torch.sort), TIED, {"dim": -1, "stable": True}),
    ("sort descending", with_indices(torch.sort), DISTINCT, {"dim": 0, "descending": True}),
    ("median", torch.median, DISTINCT),
    ("median along", with_indices(torch.median), DISTINCT, ALONG),
    ("median along at ties", with_indices(torch.median), TIED, ALONG),
    ("quantile", torch.quantile, DISTINCT, {"q": 0.3, "dim": -1}),
    ("topk", with_indices(torch.topk), DISTINCT, {"k": 2, "dim": -1}),
    ("topk at ties", with_indices(torch.topk), TIED, {"k": 3, "dim": -1}),
    ("kthvalue", with_indices(torch.kthvalue), DISTINCT, {"k": 2, "dim": -1}),
    ("cummax", with_indices(torch.cummax), DISTINCT, ALONG),
    ("cummin at ties", with_indices(torch.cummin), TIED, ALONG),
    ("max_pool1d", F.max_pool1d, normals((2, 3, 9)), {"kernel_size": 3, "stride": 2}),
    ("max_pool2d", F.max_pool2d, normals((2, 3, 6, 8)), {"kernel_size": 2}),
    ("max_pool2d at ties", F.max_pool2d, image_of_ties, {"kernel_size": 2}),
    ("max_pool2d overlapping", F.max_pool2d, image_of_ties, {"kernel_size": 3, "stride": 2}),
    ("adaptive_max_pool1d", F.adaptive_max_pool1d, normals((2, 3, 7)), {"output_size": 3}),
)
