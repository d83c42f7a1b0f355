"""Activations, smooth ones and those with kinks, at and around zero."""

import torch
from torch.nn import functional as F

from tests.random_inputs import normal, normals, positive, small_integers, with_entries

from .right_function import family


def prelu_inputs(generator):
    return normal(generator, 4, 3, 5), positive(generator, 3)


AT_ZERO = with_entries((4, 5), {(0, 0): 0.0, (2, 3): 0.0, (3, 1): -0.0})
AT_SIX = with_entries((4, 5), {(0, 0): 6.0, (1, 2): 0.0, (2, 3): 3.0, (3, 1): -3.0})

FUNCTIONS = family(
    ("relu", F.relu, normals((4, 5))),
    ("relu at zero", F.relu, AT_ZERO),
    ("relu of small integers", F.relu, small_integers(5, 6)),
    ("relu6 at its corners", F.relu6, AT_SIX),
    ("leaky_relu at zero", F.leaky_relu, AT_ZERO, {"negative_slope": 0.2}),
    ("prelu", F.prelu, prelu_inputs),
    ("elu at zero", F.elu, AT_ZERO),
    ("elu with another alpha", F.elu, normals((3, 5)), {"alpha": 0.7}),
    ("selu at zero", F.selu, AT_ZERO),
    ("celu at zero", F.celu, AT_ZERO, {"alpha": 1.3}),
    ("silu", F.silu, AT_ZERO),
    ("mish", F.mish, AT_ZERO),
    ("gelu", F.gelu, AT_ZERO),
    ("gelu by tanh", F.gelu, AT_ZERO, {"approximate": "tanh"}),
    ("softplus", F.softplus, AT_ZERO),
    ("softplus beyond its threshold", F.softplus, normals((4, 3)), {"beta": 3, "threshold": 1}),
    ("softsign", F.softsign, AT_ZERO),
    ("tanhshrink", F.tanhshrink, normals((3, 4))),
    ("softshrink", F.softshrink, normals((5, 4))),
    ("hardshrink", F.hardshrink, normals((4, 6))),
    ("threshold", F.threshold, normals((4, 3)), {"threshold": 0.1, "value": 0.1}),
    ("hardtanh at its corners", F.hardtanh, small_integers(4, 5)),
    ("hardsigmoid at its corners", F.hardsigmoid, AT_SIX),
    ("hardswish at its corners", F.hardswish, AT_SIX),
    ("sigmoid", torch.sigmoid, AT_ZERO),
    ("sigmoid saturated", torch.sigmoid, with_entries((3, 4), {(0, 0): 40.0, (1, 1): -40.0})),
    ("logsigmoid at zero", F.logsigmoid, AT_ZERO),
    ("logsigmoid saturated", F.logsigmoid, with_entries((3, 4), {(0, 0): 80.0, (1, 1): -80.0})),
    ("tanh", torch.tanh, AT_ZERO),
    ("softmax", F.softmax, normals((4, 5)), {"dim": -1}),
    ("softmax over the first dimension", F.softmax, normals((4, 5, 3)), {"dim": 0}),
    ("softmin", F.softmin, normals((5, 3)), {"dim": 1}),
    ("log_softmax", F.log_softmax, normals((4, 6)), {"dim": -1}),
    ("glu", F.glu, normals((3, 8)), {"dim": -1}),
)
