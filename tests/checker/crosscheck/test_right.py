"""No false alarm: what is right is found right, kinks and ties and all."""

from itertools import product

import pytest
import torch

from tests.checker.given import assert_right, normal, seeded
from tests.corpora.right_functions import RIGHT, RightFunction
from tests.slow import few_of
from torchref import crosscheck
from torchref.catalogue import CATALOGUE, Entry
from torchref.checker.inputs.generate import KINDS

SEEDS = range(5)
TELLING = {  # where functions have kinks, ties, zeros, repeats and options
    *("relu", "relu at zero", "relu of small integers", "leaky_relu at zero", "elu at zero"),
    *("hardtanh at its corners", "hardswish at its corners", "softshrink", "gelu", "softmax"),
    *("abs at zero", "sign", "maximum at a tie", "clamp at its bounds", "where", "copysign"),
    *("pow of a zero base", "atan2", "xlogy", "sqrt", "logaddexp", "mul with broadcasting"),
    *("sum of nothing", "prod with one zero", "prod with two zeros", "cumprod with two zeros"),
    *("logsumexp", "logsumexp with minus infinity", "std of a constant", "norm at zero"),
    *("norm of order 1 at zero", "norm of infinite order at ties", "max of everything"),
    *("max of everything at ties", "max along at ties", "amax at ties", "sort", "sort at ties"),
    *("median", "median along at ties", "topk at ties", "cummax", "quantile", "max_pool1d"),
    *("max_pool2d", "max_pool2d at ties", "max_pool2d overlapping", "gather with repeats"),
    *("index_add with repeats", "index_put accumulating", "scatter_add with repeats"),
    *("scatter_reduce by amax", "scatter_reduce by prod", "embedding with repeats"),
    *("layer_norm", "group_norm", "batch_norm in training", "batch_norm in evaluation"),
    *("batch_norm in training without statistics", "normalize at zero", "l1_loss at zero"),
    *("cross_entropy", "cross_entropy ignoring rows", "cross_entropy smoothed and ignoring rows"),
    *("binary_cross_entropy", "ctc_loss", "cdist at coincident rows", "conv2d", "grid_sample"),
    *("masked scaled_dot_product_attention", "solve", "svdvals", "complex mul", "angle"),
}
BY_SEED = [(right, 0) for right in RIGHT] + [
    (right, seed) for right, seed in product(RIGHT, SEEDS[1:]) if right.name in TELLING
]


def test_more_than_sixty_functions_are_checked_with_every_seed() -> None:
    assert len(TELLING) >= 60
    assert {right.name for right in RIGHT} >= TELLING


@pytest.mark.parametrize(
    ("right", "seed"), BY_SEED, ids=[f"{right.name}-{seed}" for right, seed in BY_SEED]
)
def test_a_function_of_torch_equals_itself(right: RightFunction, seed: int) -> None:
    inputs = right.inputs(seeded(seed))
    report = crosscheck(right.function, right.function, inputs, kwargs=right.kwargs, seed=seed)
    compared = right.name != "sum of nothing"  # of an empty tensor nothing is
    assert report.verdict == ("right" if compared else "cannot tell"), str(report)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_an_op_of_the_catalogue_is_right_at_all_its_inputs(entry: Entry, seed: int) -> None:
    first, *others = entry.inputs(seed)
    assert_right(entry.op, entry.twin, first, samples=others, seed=seed)


@pytest.mark.parametrize("entry", few_of(CATALOGUE.values(), name=lambda entry: entry.name))
def test_an_op_of_the_catalogue_is_right_by_differences_alone(entry: Entry) -> None:
    # An embedding's mean over how often a row was taken departs from the derivative on purpose.
    vary = entry.name != "Embedding" or KINDS.keys() - {"options"}
    for inputs in entry.samples(seeded(0)):
        assert_right(entry.op, inputs=inputs, vary=vary)


@pytest.mark.cuda
@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))
def test_an_op_of_the_catalogue_is_right_on_cuda(entry: Entry) -> None:
    first, *others = entry.inputs(0, "cuda")
    assert_right(entry.op, entry.twin, first, samples=others)


@pytest.mark.cuda
def test_a_wrong_op_is_caught_on_cuda() -> None:
    def halved(x: torch.Tensor) -> torch.Tensor:
        return x.square() / 2 + (x.square() / 2).detach()

    report = crosscheck(halved, torch.square, (normal(4, 3).cuda(),))
    assert [finding.cause for finding in report.findings] == ["constant-factor"]
