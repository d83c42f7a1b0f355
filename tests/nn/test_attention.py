"""Attention of several heads beside torch's: values, weights, gradients and states."""

import copy
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref.nn
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal
from torchref.errors import InputError

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "without bias": {"bias": False},
    "batch first": {"batch_first": True},
    "a key and value of its own": {"add_bias_kv": True},
    "zeros": {"add_zero_attn": True},
    "both": {"add_bias_kv": True, "add_zero_attn": True, "bias": False},
    "other features of keys and values": {"kdim": 5, "vdim": 7},
}
HIDDEN = torch.rand(4, 3, generator=seeded(7)) < 0.3
HIDDEN[:, 1] = False  # each query sees a key
PADDING = torch.tensor([[False, False, True], [False, False, False]])
OF_HEADS = (torch.rand(4, 4, 3, generator=seeded(8)) < 0.3) & ~torch.tensor([False, True, False])
CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "without weights": {"need_weights": False},
    "weights of each head": {"average_attn_weights": False},
    "padding": {"key_padding_mask": PADDING},
    "padding that is added": {"key_padding_mask": normal(seeded(9), 2, 3)},
    "a mask": {"attn_mask": HIDDEN},
    "a mask that is added": {"attn_mask": normal(seeded(9), 4, 3), "need_weights": False},
    "a mask of each head": {"attn_mask": OF_HEADS},
    "a mask and padding": {"attn_mask": HIDDEN, "key_padding_mask": PADDING},
    "a causal mask": {
        "attn_mask": torch.ones(4, 3, dtype=torch.bool).triu(1),
        "is_causal": True,
        "need_weights": False,
    },
}


def made(nn: ModuleType, **settings: Any) -> torch.nn.MultiheadAttention:
    layer = nn.MultiheadAttention(6, 2, **settings).double()
    for number, parameter in enumerate(layer.parameters()):
        torch.nn.init.normal_(parameter, generator=seeded(number))
    return layer


def sequences(layer: torch.nn.MultiheadAttention, is_batched: bool = True) -> list[Tensor]:
    features = layer.embed_dim, layer.kdim, layer.vdim
    found = [
        normal(seeded(n), length, 2, size)
        for n, (length, size) in enumerate(zip((4, 3, 3), features, strict=True))
    ]
    if not is_batched:
        return [x[:, 0] for x in found]
    return [x.transpose(0, 1) for x in found] if layer.batch_first else found


def outcome(
    layer: torch.nn.MultiheadAttention, is_batched: bool = True, **call: Any
) -> list[Tensor]:
    given = [x.requires_grad_() for x in sequences(layer, is_batched)]
    y, weights = layer(*given, **call)
    returned = [y] if weights is None else [y, weights]
    wrt = (*given, *layer.parameters())
    cotangents = [normal(seeded(20 + n), *x.shape) for n, x in enumerate(returned)]
    return [*returned, *torch.autograd.grad(returned, wrt, cotangents)]


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_it_is_torchs(settings: dict[str, Any], call: dict[str, Any]) -> None:
    if call.get("is_causal") and {"add_bias_kv", "add_zero_attn"} & {*settings}:
        call = call | {"need_weights": True}  # without weights torch's hides what is appended
    mine, its = (outcome(made(nn, **settings), **call) for nn in (torchref.nn, torch.nn))
    torch.testing.assert_close(mine, its, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("need_weights", [True, False])
def test_without_a_batch_it_is_torchs(need_weights: bool) -> None:
    call = {"need_weights": need_weights, "key_padding_mask": PADDING[0], "attn_mask": HIDDEN}
    mine, its = (outcome(made(nn), False, **call) for nn in (torchref.nn, torch.nn))
    torch.testing.assert_close(mine, its, rtol=1e-11, atol=1e-12)


def test_states_load_both_ways() -> None:
    for settings in SETTINGS.values():
        for giver, taker in ((torch.nn, torchref.nn), (torchref.nn, torch.nn)):
            source, copied = (
                made(giver, **settings),
                taker.MultiheadAttention(6, 2, **settings).double(),
            )
            loaded = copied.load_state_dict(source.state_dict())
            assert str(loaded) == "<All keys matched successfully>"
            torch.testing.assert_close(outcome(copied), outcome(source), rtol=1e-11, atol=1e-12)


def test_dropout_is_of_training_and_of_the_seed() -> None:
    layer = made(torchref.nn, dropout=0.5)
    given = sequences(layer)
    torch.manual_seed(0)
    y, weights = layer(*given, average_attn_weights=False)
    assert (weights == 0).any()
    torch.manual_seed(0)
    torch.testing.assert_close(layer(*given, need_weights=False)[0], y, rtol=1e-12, atol=1e-13)
    layer.eval()
    torch.testing.assert_close(layer(*given)[0], made(torch.nn)(*given)[0], rtol=1e-12, atol=1e-13)


def test_a_query_that_sees_no_key_gets_the_bias_of_the_last_map() -> None:
    layer = made(torchref.nn)
    for need_weights in (True, False):
        y, _ = layer(*sequences(layer), attn_mask=HIDDEN | True, need_weights=need_weights)
        torch.testing.assert_close(y, layer.out_proj.bias.expand_as(y))


@pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES)
def test_it_compiles_in_one_graph() -> None:
    layer = made(torchref.nn)
    given = sequences(layer)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*given), layer(*given), rtol=1e-12, atol=1e-13)
    torch.compiler.reset()


def test_under_autocast_its_dtypes_are_torchs() -> None:
    for need_weights in (True, False):
        dtypes = []
        for nn in (torchref.nn, torch.nn):
            layer = made(nn).float()
            given = [x.float() for x in sequences(layer)]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                returned = layer(*given, need_weights=need_weights)
            dtypes.append([None if x is None else x.dtype for x in returned])
        assert dtypes[0] == dtypes[1]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"is_causal": True}, "is_causal is a hint beside attn_mask"),
        ({"attn_mask": HIDDEN.T}, r"attn_mask must have shape \(4, 3\) or \(4, 4, 3\)"),
        ({"key_padding_mask": PADDING[0]}, r"key_padding_mask must be \(N, S\)"),
    ],
)
def test_bad_masks_are_refused(call: dict[str, Any], said: str) -> None:
    layer = made(torchref.nn)
    with pytest.raises(InputError, match=said):
        layer(*sequences(layer), **call)


def test_sequences_of_different_ranks_are_refused() -> None:
    layer = made(torchref.nn)
    query, key, value = sequences(layer)
    with pytest.raises(InputError, match="must have three dimensions, or two each"):
        layer(query[:, 0], key, value)


def test_bilinear_is_torchs() -> None:
    mine, its = torchref.nn.Bilinear(4, 3, 6).double(), torch.nn.Bilinear(4, 3, 6).double()
    mine.load_state_dict(its.state_dict())
    x, other = normal(seeded(0), 5, 4), normal(seeded(1), 5, 3)
    torch.testing.assert_close(mine(x, other), its(x, other), rtol=1e-12, atol=1e-13)
    assert mine(x.requires_grad_(), other).grad_fn.name() == "BilinearBackward"


def test_rotary_tables_are_no_state_and_move_with_the_layer() -> None:
    layer = torchref.nn.RotaryEmbedding(6, 9, interleaved=True)
    assert not layer.state_dict()
    assert layer.double().cos.dtype == torch.float64
    x = normal(seeded(0), 2, 5, 6)
    tables = torchref.nn.functional.rotary_tables(9, 6)
    expected = torchref.nn.functional.rotary_embedding(
        x, *(table.double() for table in tables), None, True
    )
    assert torch.equal(copy.deepcopy(layer)(x), expected)
    assert repr(layer) == (
        "RotaryEmbedding(features=6, positions=9, base=10000.0, interleaved=True)"
    )
