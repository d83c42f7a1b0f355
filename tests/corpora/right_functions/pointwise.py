"""Entry by entry: elementary and special functions, and arithmetic with broadcasting."""

import torch

from tests.random_inputs import (
    indices,
    leaf,
    normal,
    normals,
    positive,
    positives,
    small_integers,
    with_entries,
    within,
)

from .right_function import family


def base_and_exponent(generator):
    return positive(generator, 4, 3), normal(generator, 4, 3)


def masked_choice(generator):
    return indices(generator, 2, 4, 5).bool(), normal(generator, 4, 5), normal(generator, 5)


def tied_pair(generator):
    left = normal(generator, 4, 3).detach()
    right = left.clone()
    right[1:] += 1
    return leaf(left), leaf(right)


def weighted_pair(generator):
    return normal(generator, 3, 5), normal(generator, 3, 5), positive(generator, 5)


FUNCTIONS = family(
    ("add with broadcasting", torch.add, normals((4, 3), (3,)), {"alpha": 0.5}),
    ("sub with broadcasting", torch.sub, normals((4, 1), (1, 3))),
    ("mul with broadcasting", torch.mul, normals((2, 4, 3), (4, 1))),
    ("div", torch.div, lambda generator: (normal(generator, 4, 3), positive(generator, 3))),
    ("abs at zero", torch.abs, small_integers(4, 5)),
    ("sign", torch.sign, normals((3, 5))),
    ("exp", torch.exp, normals((4, 3))),
    ("expm1 near zero", torch.expm1, with_entries((3, 4), {(0, 0): 1e-12, (1, 1): 0.0})),
    ("log", torch.log, positives((4, 3))),
    ("log1p near zero", torch.log1p, with_entries((1, 2), {(0, 0): 1e-12, (0, 1): 0.0})),
    ("sqrt", torch.sqrt, positives((3, 5))),
    ("rsqrt", torch.rsqrt, positives((5, 3))),
    ("reciprocal", torch.reciprocal, positives((4, 5))),
    ("square", torch.square, small_integers(4, 3)),
    ("pow of a tensor", torch.pow, base_and_exponent),
    ("pow of a zero base", torch.pow, small_integers(4, 3), {"exponent": 3}),
    ("sin", torch.sin, normals((4, 3))),
    ("cos", torch.cos, normals((3, 4))),
    ("tan", torch.tan, within(-1.2, 1.2, 4, 5)),
    ("asin", torch.asin, within(-0.95, 0.95, 3, 4)),
    ("acos", torch.acos, within(-0.95, 0.95, 5, 4)),
    ("atan", torch.atan, normals((4, 6))),
    ("sinh", torch.sinh, normals((3, 4))),
    ("cosh", torch.cosh, normals((5, 4))),
    ("asinh", torch.asinh, normals((4, 3))),
    ("acosh", torch.acosh, within(1.2, 4.0, 4, 3)),
    ("atanh", torch.atanh, within(-0.9, 0.9, 3, 5)),
    ("atan2", torch.atan2, normals((4, 3), (4, 3))),
    ("hypot", torch.hypot, normals((3, 4), (3, 4))),
    ("erf", torch.erf, normals((4, 5))),
    ("erfc", torch.erfc, normals((5, 3))),
    ("erfinv", torch.erfinv, within(-0.9, 0.9, 4, 3)),
    ("lgamma", torch.lgamma, positives((4, 3))),
    ("digamma", torch.digamma, positives((3, 5))),
    ("logit", torch.logit, within(0.05, 0.95, 4, 3)),
    ("logaddexp", torch.logaddexp, normals((4, 3), (4, 3))),
    ("sinc", torch.sinc, normals((3, 4))),
    ("xlogy", torch.xlogy, positives((4, 3), (4, 3))),
    ("clamp", torch.clamp, normals((4, 5)), {"min": -0.5, "max": 0.75}),
    ("clamp at its bounds", torch.clamp, small_integers(5, 4), {"min": -1.0, "max": 1.0}),
    ("where", torch.where, masked_choice),
    ("maximum at a tie", torch.maximum, tied_pair),
    ("minimum at a tie", torch.minimum, tied_pair),
    ("lerp", torch.lerp, weighted_pair),
    ("addcmul", torch.addcmul, normals((4, 3), (4, 3), (3,)), {"value": 0.5}),
    ("round", torch.round, normals((3, 4))),
    ("copysign", torch.copysign, normals((4, 3), (4, 3))),
)
