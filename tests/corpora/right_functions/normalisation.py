"""Norm layers, with and without weights, in training and in evaluation."""

from torch.nn import functional as F

from tests.random_inputs import normal, normals, positive, with_entries

from .right_function import family


def rows_with_weight_and_bias(generator):
    return normal(generator, 5, 4), (4,), normal(generator, 4), normal(generator, 4)


def rows_with_weight(generator):
    return normal(generator, 5, 4), (4,), normal(generator, 4)


def grouped(generator):
    return normal(generator, 2, 6, 5), 3, normal(generator, 6), normal(generator, 6)


def running_statistics(generator):
    return normal(generator, 4).detach(), positive(generator, 4).detach()


def batch_with_statistics(generator):
    affine = normal(generator, 4), normal(generator, 4)
    return normal(generator, 6, 4, 3), *running_statistics(generator), *affine


def batch_norm_in_training(x, running_mean, running_var, weight, bias):
    """Running statistics are copies: a check calls the function many times."""
    statistics = running_mean.clone(), running_var.clone()
    return F.batch_norm(x, *statistics, weight, bias, training=True)


def batch_norm_without_statistics(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def one_channel_shape(generator):
    return normal(generator, 3, 4, 5), (4, 5)


ZERO_ROW = with_entries((4, 3), {(1,): 0.0})
FUNCTIONS = family(
    ("layer_norm", F.layer_norm, rows_with_weight_and_bias),
    ("layer_norm over two dimensions", F.layer_norm, one_channel_shape),
    ("rms_norm", F.rms_norm, rows_with_weight, {"eps": 1e-6}),
    ("group_norm", F.group_norm, grouped),
    ("instance_norm", F.instance_norm, normals((2, 3, 7))),
    ("batch_norm in training", batch_norm_in_training, batch_with_statistics),
    (
        "batch_norm in training without statistics",
        batch_norm_without_statistics,
        normals((6, 4), (4,), (4,)),
    ),
    ("batch_norm in evaluation", F.batch_norm, batch_with_statistics, {"training": False}),
    ("normalize", F.normalize, normals((4, 3)), {"dim": -1}),
    ("normalize at zero", F.normalize, ZERO_ROW, {"dim": -1, "eps": 0.1}),
    ("local_response_norm", F.local_response_norm, normals((2, 5, 4)), {"size": 3}),
)
