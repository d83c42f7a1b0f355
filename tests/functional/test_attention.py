"""Attention beside torch's: values, gradients, dtypes, dropout, refusals."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, ones

import torchref.functional as R
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import assert_same, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from tests.random_inputs import seeded
from torchref.errors import InputError

NAME = "scaled_dot_product_attention"
QUERY, KEY, VALUE = normal(0, 2, 6, 4, 5), normal(1, 2, 6, 3, 5), normal(2, 2, 6, 3, 7)
SHOWN = torch.rand(2, 1, 4, 3, generator=seeded(3)) < 0.6
HIDDEN = torch.zeros(4, 3, dtype=torch.float64).masked_fill(~SHOWN[0, 0], -torch.inf)
CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "plain": ((QUERY, KEY, VALUE), {}),
    "two dimensions": ((QUERY[0, 0], KEY[0, 0], VALUE[0, 0]), {}),
    "three dimensions": ((QUERY[0], KEY[0], VALUE[0]), {}),
    "five dimensions": ((QUERY[None], KEY[None], VALUE[None]), {}),
    "batches that broadcast": ((QUERY[:1], KEY[:, :1], VALUE[0]), {}),
    "features as many as outputs": ((QUERY, KEY, KEY + 1), {}),
    "causal": ((QUERY, KEY, VALUE), {"is_causal": True}),
    "causal with more keys": ((KEY, QUERY, QUERY), {"is_causal": True}),
    "a scale": ((QUERY, KEY, VALUE), {"scale": -0.3}),
    "a scale of 0": ((QUERY, KEY, VALUE), {"scale": 0.0}),
    "a boolean mask": ((QUERY, KEY, VALUE, SHOWN), {}),
    "a boolean mask of keys": ((QUERY, KEY, VALUE, SHOWN[:, :, :1]), {}),
    "a boolean mask of queries": ((QUERY, KEY, VALUE, SHOWN[..., :1]), {}),
    "nothing to be seen": ((QUERY, KEY, VALUE, torch.zeros_like(SHOWN)), {}),
    "an additive mask": ((QUERY, KEY, VALUE, normal(3, 6, 4, 3)), {"scale": 0.5}),
    "an additive mask that hides": ((QUERY, KEY, VALUE, HIDDEN), {}),
    "an additive mask that hides all": ((QUERY, KEY, VALUE, torch.full_like(HIDDEN, -1e9)), {}),
    "a mask of one dimension": ((QUERY, KEY, VALUE, normal(3, 3)), {}),
    "a mask in float32": ((QUERY, KEY, VALUE, normal(3, 4, 3).float()), {}),
    "grouped queries": ((QUERY, KEY[:, :2], VALUE[:, :2]), {"enable_gqa": True}),
    "grouped queries of one batch": ((QUERY[0], KEY[0, :3], VALUE[0, :3]), {"enable_gqa": True}),
    "groups that differ": ((QUERY, KEY[:, :2], VALUE[:, :3]), {"enable_gqa": True}),
    "groups under a mask": (
        (QUERY, KEY[:, :2], VALUE[:, :2], normal(3, 6, 4, 3)),
        {"enable_gqa": True},
    ),
    "groups under one mask": ((QUERY, KEY[:, :2], VALUE[:, :2], SHOWN), {"enable_gqa": True}),
    "every weight dropped": ((QUERY, KEY, VALUE), {"dropout_p": 1.0}),
    "no query": ((QUERY[..., :0, :], KEY, VALUE), {}),
    "no key": ((QUERY, KEY[..., :0, :], VALUE[..., :0, :]), {}),
    "no feature": ((QUERY[..., :0], KEY[..., :0], VALUE), {}),
    "no batch": ((QUERY[:0], KEY[:0], VALUE[:0]), {}),
    "large scores": ((10 * QUERY, 10 * KEY, VALUE), {}),
}


def blockwise_attention(*arguments: Any, **options: Any) -> Tensor:
    """In blocks of two, of which the last is smaller."""
    return R.blockwise_attention(*arguments, **options, block_size=2)


FORMS = {NAME: R.scaled_dot_product_attention, "blockwise_attention": blockwise_attention}
FORM = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))


@FORM
@pytest.mark.parametrize("case", CASES)
def test_it_is_torchs(case: str, form: Callable[..., Tensor]) -> None:
    arguments, options = CASES[case]
    assert_same(
        value_and_gradients(form, *arguments, **options),
        value_and_gradients(F.scaled_dot_product_attention, *arguments, **options),
    )


@FORM
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("case", ["plain", "causal", "a boolean mask", "grouped queries"])
def test_low_precision_errs_at_most_twice_as_much_as_torchs(
    case: str, dtype: torch.dtype, form: Callable[..., Tensor]
) -> None:
    arguments, options = CASES[case]
    low = [x.to(dtype) if x.is_floating_point() else x for x in arguments]
    wide = [x.double() if x.is_floating_point() else x for x in low]
    truth = value_and_gradients(F.scaled_dot_product_attention, *wide, **options)
    mine, torchs = (
        value_and_gradients(function, *low, **options)
        for function in (form, F.scaled_dot_product_attention)
    )
    for one, its, true in zip(mine, torchs, truth, strict=True):
        assert one.dtype == its.dtype
        error, torchs_error = ((x.double() - true).abs().max() for x in (one, its))
        roundings = 8 if dtype == torch.float32 else 2
        floor = roundings * torch.finfo(dtype).eps / 2 * true.abs().max()
        assert error <= max(2 * torchs_error, floor)


@FORM
def test_second_order_which_torchs_own_has_not_everywhere(form: Callable[..., Tensor]) -> None:
    arguments = QUERY, KEY, VALUE, normal(3, 6, 4, 3)

    def composed(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        return torch.softmax(query @ key.mT / 5**0.5 + mask, -1) @ value

    def of_gradients(function: Callable[..., Tensor]) -> tuple[Tensor, ...]:
        def slopes(*leaves: Tensor) -> Tensor:
            y = function(*leaves)
            grads = torch.autograd.grad(y, leaves, normal(7, *y.shape), create_graph=True)
            return torch.cat([grad.reshape(-1) for grad in grads])

        return value_and_gradients(slopes, *arguments)

    assert_same(of_gradients(form), of_gradients(composed))


@FORM
def test_a_float_of_infinity_gives_no_number_where_torchs_gives_one(
    form: Callable[..., Tensor],
) -> None:
    for number in (torch.inf, -torch.inf, 1e200):
        query = QUERY.clone()
        query[0, 0, 0, 0] = number
        mine, torchs = (
            value_and_gradients(function, query, KEY, VALUE)
            for function in (form, F.scaled_dot_product_attention)
        )
        for one, its in zip(mine, torchs, strict=True):
            assert not (one.isnan() & ~its.isnan()).any()


@FORM
@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
def test_self_attention_compiles_in_one_graph(form: Callable[..., Tensor]) -> None:
    def of_itself(x: Tensor) -> Tensor:
        return form(x, x, x, is_causal=True)

    compiled = torch.compile(of_itself, fullgraph=True, backend="aot_eager")
    assert_same(value_and_gradients(compiled, QUERY), value_and_gradients(of_itself, QUERY))
    torch.compiler.reset()


@FORM
def test_dropout_is_drawn_of_torchs_seed(form: Callable[..., Tensor]) -> None:
    """Of the equal weights of a hundred keys it drops p, and what stays grows by 1 / (1 − p)."""
    query, key, value = ones(2, 30, 1), ones(2, 100, 1), ones(2, 100, 1)
    torch.manual_seed(0)
    y = form(query, key, value, dropout_p=0.2)
    torch.manual_seed(0)
    torch.testing.assert_close(form(query, key, value, dropout_p=0.2), y)
    assert not torch.allclose(form(query, key, value, dropout_p=0.2), y)
    of_one = (0.2 / 0.8 / 100) ** 0.5  # the deviation of the mean of a hundred
    assert abs(y.mean() - 1) < 4 * of_one / 60**0.5
    assert 0.7 * of_one < y.std() < 1.3 * of_one


REFUSED = {
    "vectors": (lambda f: f(ones(5), ones(5), ones(5)), ("query (..., L, E)", "(5,)")),
    "other features": (lambda f: f(ones(4, 5), ones(3, 6), ones(3, 7)), ("agree in E and S",)),
    "other keys": (lambda f: f(ones(4, 5), ones(3, 5), ones(2, 7)), ("agree in E and S", "(2, 7)")),
    "batches": (
        lambda f: f(ones(2, 4, 5), ones(3, 4, 5), ones(4, 5)),
        ("before the last two must broadcast", "(2,) and (3,) and ()"),
    ),
    "a list": (lambda f: f([1.0], ones(3, 5), ones(3, 7)), ("query must be a tensor",)),
    "integers": (
        lambda f: f(ones(4, 5).long(), ones(3, 5), ones(3, 7)),
        ("query must be a real floating-point",),
    ),
    "two dtypes": (
        lambda f: f(ones(4, 5), ones(3, 5).double(), ones(3, 7)),
        ("query and key must have the same dtype",),
    ),
    "a mask and causal": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), ones(4, 3).bool(), is_causal=True),
        ("attn_mask must be left out", "both arrived"),
    ),
    "a mask of integers": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), ones(4, 3).long()),
        ("attn_mask must be boolean, float32", "torch.int64"),
    ),
    "a mask that is a list": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), [True]),
        ("attn_mask must be a tensor",),
    ),
    "a mask of another length": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), ones(3, 4)),
        ("broadcast to (..., L, S)", "(3, 4)", "(4, 3)"),
    ),
    "a mask of a larger batch": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), ones(2, 4, 3)),
        ("broadcast to (..., L, S)", "(2, 4, 3)"),
    ),
    "a chance above 1": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), dropout_p=1.5),
        ("dropout_p must lie in [0, 1]", "1.5"),
    ),
    "heads that do not divide": (
        lambda f: f(ones(6, 4, 5), ones(4, 3, 5), ones(4, 3, 7), enable_gqa=True),
        ("heads of key and value must divide", "(6, 4, 5)"),
    ),
    "no heads": (
        lambda f: f(ones(4, 5), ones(3, 5), ones(3, 7), enable_gqa=True),
        ("heads of key and value must divide",),
    ),
}


@FORM
@each_of(REFUSED)
def test_bad_input_is_refused(
    call: Callable[..., Tensor], words: tuple[str, ...], form: Callable[..., Tensor]
) -> None:
    assert_refused(lambda: call(form), (form.__name__, *words))


def test_both_forms_drop_the_same_weights() -> None:
    plain, blockwise = [], []
    for form, seen in zip(FORMS.values(), (plain, blockwise), strict=True):
        torch.manual_seed(0)
        for arguments, options in CASES.values():
            seen += value_and_gradients(form, *arguments, **{"dropout_p": 0.4} | options)
    assert_same(tuple(blockwise), tuple(plain))


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_blocks_of_no_size_are_refused(size: float) -> None:
    with pytest.raises(InputError, match=rf"block_size must be a positive whole .*{size} arrived"):
        R.blockwise_attention(QUERY, KEY, VALUE, block_size=size)


@pytest.mark.parametrize("call", [REFUSED[name][0] for name in REFUSED])
def test_and_torch_refuses_it_too(call: Callable[..., Tensor]) -> None:
    with pytest.raises((RuntimeError, TypeError, IndexError)):
        call(F.scaled_dot_product_attention)
