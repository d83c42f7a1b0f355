"""Every loss beside torch's: all options, both orders, low precision, extremes."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.loss_cases import CASES, LABELS, PAIR, ROWS
from tests.functional.side_by_side import (
    ROUNDINGS,
    assert_error_at_most_twice_torchs,
    assert_same,
    chance,
    normal,
    value_and_gradients,
)
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES, is_differentiated

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))
REDUCTIONS = ("mean", "sum", "none")
EACH = pytest.mark.parametrize("name", CASES)
Change = Callable[[Tensor], Tensor]


def as_it_is(x: Tensor) -> Tensor:
    return x


def called(package: Any, name: str, reduction: str, change: Change = as_it_is) -> Any:
    """The loss as a function of its tensors, and these."""
    function, arguments, options = CASES[name]
    changed = {k: change(v) if is_differentiated(v) else v for k, v in options.items()}
    of = getattr(package, function)
    return (
        lambda *given: of(*given, reduction=reduction, **changed),
        [change(x) if is_differentiated(x) else x for x in arguments],
    )


def results(package: Any, name: str, reduction: str, change: Change = as_it_is) -> Any:
    function, arguments = called(package, name, reduction, change)
    return value_and_gradients(function, *arguments, wrt=2)


def reductions(name: str) -> tuple[str, ...]:
    return (*REDUCTIONS, "batchmean") if name.startswith("divergence") else REDUCTIONS


@pytest.mark.parametrize("device", DEVICES)
@EACH
def test_values_and_gradients_are_torchs(name: str, device: str) -> None:
    for reduction in reductions(name):
        mine, torchs = (
            results(package, name, reduction, lambda x: x.to(device)) for package in (R, F)
        )
        assert_same(mine, torchs)


NO_SECOND_ORDER = ("multi_margin_loss", "binary_cross_entropy")  # of torch's, in all arguments
NOT_LOW = ("multi_margin_loss",)  # torch has no kernel of 16 bits for it on a CPU


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case[0] not in NO_SECOND_ORDER])
def test_second_derivatives_are_torchs(name: str) -> None:
    def second(package: Any) -> tuple[Tensor, ...]:
        function, arguments = called(package, name, "sum")
        leaves = [x.detach().requires_grad_() if is_differentiated(x) else x for x in arguments]
        wrt = [x for x in leaves[:2] if is_differentiated(x)]
        first = torch.autograd.grad(function(*leaves), wrt, create_graph=True)
        along = sum((g * normal(5 + n, *g.shape)).sum() for n, g in enumerate(first))
        if not along.requires_grad:
            return tuple(torch.zeros_like(x) for x in wrt)
        return torch.autograd.grad(along, wrt, materialize_grads=True)

    assert_same(second(R), second(F))


@pytest.mark.parametrize("dtype", ROUNDINGS, ids=str)
@EACH
def test_the_error_is_at_most_twice_torchs(name: str, dtype: torch.dtype) -> None:
    """Truth is torch's in float64 at the very same rounded inputs."""
    for reduction in reductions(name):
        mine = results(R, name, reduction, lambda x: x.to(dtype))
        truth = results(F, name, reduction, lambda x: x.to(dtype).double())
        torchs = tuple(x.to(dtype) for x in truth)
        if CASES[name][0] not in NOT_LOW or dtype == torch.float32:
            torchs = results(F, name, reduction, lambda x: x.to(dtype))
        assert_error_at_most_twice_torchs(mine, torchs, truth, dtype, ROUNDINGS[dtype])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int8])
def test_labels_may_have_any_dtype(dtype: torch.dtype) -> None:
    label, column = LABELS.to(dtype), LABELS[:, 0].to(dtype)
    for name, pair, of in (
        ("hinge_embedding_loss", (ROWS,), label),
        ("cosine_embedding_loss", PAIR, column),
    ):
        labelled = [partial(of_labels, getattr(package, name), of) for package in (R, F)]
        assert_same(*(value_and_gradients(function, *pair) for function in labelled))


def of_labels(loss: Callable[..., Tensor], label: Tensor, *x: Tensor) -> Tensor:
    return loss(*x, label)


OF_PROBABILITIES = ("log loss of logits", "divergence")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@EACH
def test_nothing_is_nan_where_torchs_is_not(name: str, dtype: torch.dtype) -> None:
    """At numbers of any size, at infinite ones, and for cotangents of 0 and ∞."""
    if name == "log loss":
        return  # of probabilities alone
    if CASES[name][0] in NOT_LOW and dtype.itemsize == 2:
        return
    filled = slice(0, 1 if "chances" in name or name in OF_PROBABILITIES else 2)
    cotangents = (1.0, 0.0) if name.startswith("cosine") else (1.0, 0.0, math.inf)  # see below
    function, arguments = called(R, name, "none", lambda x: x.to(dtype))
    torchs, _ = called(F, name, "none", lambda x: x.to(dtype))
    largest = torch.finfo(dtype).max
    for size in (0.0, 1e-30, 40.0, largest**0.5, largest, math.inf, -math.inf, -largest):
        for first in (True, False):
            given = [x.clone() if is_differentiated(x) else x for x in arguments]
            for x in given[filled]:
                if is_differentiated(x) and x.dim() and x.numel():
                    (x[:, 0] if first and x.dim() > 1 else x)[...] = size
            for cotangent in cotangents:
                mine, its = (nan_pattern(f, given, cotangent) for f in (function, torchs))
                for one, other in zip(mine, its, strict=True):
                    assert not (one & ~other).any(), (size, first, cotangent)


def test_the_cosine_of_long_vectors_does_not_overflow() -> None:
    """torch's does, and answers 0: so an infinite cotangent meets no slope there."""
    x = torch.tensor([[1e15, 1e15], [1e15, -1e15]])
    given = x, x.flip(0).abs(), ones(2)
    assert F.cosine_embedding_loss(*given, reduction="none")[0] == 1
    torch.testing.assert_close(
        R.cosine_embedding_loss(*given, reduction="none"), torch.tensor([0.0, 1.0])
    )


def nan_pattern(function: Any, given: list[Any], cotangent: float) -> list[Tensor]:
    leaves = [x.detach().requires_grad_() if is_differentiated(x) else x for x in given]
    y = function(*leaves)
    wrt = [x for x in leaves[:2] if is_differentiated(x)]
    grads = torch.autograd.grad(y, wrt, torch.full_like(y, cotangent))
    return [x.isnan() for x in (y, *grads)]


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
@pytest.mark.parametrize(
    "name",
    [
        *("l1", "smooth", "huber with all", "divergence", "numbers with a weight", "hinge"),
        *("cross-entropy with all", "ranking", "square margins", "cosine", "linear with all"),
    ],
)
def test_it_compiles_in_one_graph(name: str) -> None:
    function, arguments = called(R, name, "mean")
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    mine, eager = (value_and_gradients(f, *arguments, wrt=2) for f in (compiled, function))
    assert_same(mine, eager)
    torch.compiler.reset()


@pytest.mark.parametrize(
    "name", [name for name in CASES if not name.endswith(("one", "number", "nothing", "row"))]
)
def test_under_vmap_it_is_a_loop(name: str) -> None:
    """Over the first dimension of all tensors, class numbers too."""
    if CASES[name][0] == "linear_cross_entropy" or "picture" in name:
        return
    function, options = getattr(R, CASES[name][0]), CASES[name][2]
    options = {k: v for k, v in options.items() if k != "weight"}
    x, *others = (arg for arg in CASES[name][1])
    others = [each for each in others if each.dim() and len(each) == len(x)]
    if CASES[name][0] in ("nll_loss", "cross_entropy"):
        others = [each.clamp_min(0) for each in others]
    mapped = torch.func.vmap(lambda *given: function(*given, **options))(x, *others)
    one_by_one = [function(*given, **options) for given in zip(x, *others, strict=True)]
    assert_same((mapped,), (torch.stack(one_by_one),))


MATRIX = normal(5, 3, 3)
OF_CLASSES: dict[str, Callable[..., Tensor]] = {
    "nll_loss": R.nll_loss,
    "cross_entropy": lambda *given, **options: R.cross_entropy(
        *given, label_smoothing=0.2, **options
    ),
    "multi_margin_loss": R.multi_margin_loss,
    "linear_cross_entropy": lambda x, number, **options: R.linear_cross_entropy(
        x, MATRIX, number, label_smoothing=0.2, **options
    ),
}


@pytest.mark.parametrize("name", OF_CLASSES)
def test_gradients_of_single_examples_with_class_numbers(name: str) -> None:
    """Of logits and weights, where each is mapped over or shared, by vmap of grad."""

    def loss(x: Tensor, number: Tensor, weight: Tensor) -> Tensor:
        return OF_CLASSES[name](x, number, weight=weight)

    x, number = normal(0, 4, 5, 3), torch.randint(3, (4, 5))
    weight = chance(1, 4, 3)
    slopes = torch.func.grad(loss, (0, 2))
    for dims in ((0, 0, 0), (0, None, None), (None, 0, None), (None, None, 0)):
        given = [
            each if dim == 0 else each[0]
            for each, dim in zip((x, number, weight), dims, strict=True)
        ]
        mapped = torch.func.vmap(slopes, in_dims=dims)(*given)
        one_by_one = [
            slopes(*(each[n] if dim == 0 else each for each, dim in zip(given, dims, strict=True)))
            for n in range(4)
        ]
        assert_same(mapped, tuple(torch.stack(same) for same in zip(*one_by_one, strict=True)))


@pytest.mark.parametrize("name", ["numbers with a weight", "square margins", "linear with all"])
def test_the_weights_of_classes_get_gradients_which_torchs_do_not(name: str) -> None:
    function, arguments, options = CASES[name]
    options = dict(options)
    weight = options.pop("weight")
    rows = F.linear(*arguments[:2], options["linear_bias"]) if name.startswith("lin") else None

    def mine(w: Tensor) -> Tensor:
        return getattr(R, function)(*arguments, weight=w, **options)

    def written(w: Tensor) -> Tensor:
        if function == "multi_margin_loss":
            plain = F.multi_margin_loss(*arguments, reduction="none", p=2, margin=0.5)
            return (plain * w[arguments[1]]).mean()
        target = arguments[-1]
        counts = target != options.get("ignore_index", -100)
        log_p = arguments[0] if rows is None else rows.log_softmax(-1)
        smoothing = options.get("label_smoothing", 0.0)
        row = F.one_hot(torch.where(counts, target, 0), 3).double()
        row = ((1 - smoothing) * row + smoothing / 3) * counts.unsqueeze(-1)
        of_class = w[torch.where(counts, target, 0)] * counts
        return -(row * w * log_p).sum() / of_class.sum()

    assert_same(value_and_gradients(mine, weight), value_and_gradients(written, weight))
