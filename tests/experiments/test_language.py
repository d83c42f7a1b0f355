"""Models of text: what they are taught, their gradients beside torch's, and what they show."""

import math
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import Module

from experiments import gpt, lstm_text
from experiments.language.looks import written
from experiments.language.task import DEFAULTS
from experiments.language.text import Text, windows
from experiments.language.transformer import SelfAttention
from tests.slow import few_of
from tests.training.small_task import BOTH, curve
from torchref.errors import InputError
from torchref.explainer.charts.shapes import CARD_HEIGHT, CARD_WIDTH
from torchref.training import Task, torch_twin, train

TEXT = Text("She sells sea shells by the sea shore. The shells she sells are sea shells. " * 9)
TASKS = {
    "gpt": lambda: gpt.task(TEXT, 0, width=12, heads=2, blocks=2, length=7),
    "lstm": lambda: lstm_text.task(TEXT, 0, width=9, layers=2, length=7),
}


def test_python_brings_a_text() -> None:
    text = Text.of_python()
    learnt, held_out = text.parts
    assert len(learnt) > 300_000
    assert len(held_out) == pytest.approx(len(text.characters) / 10, abs=1)
    assert text.decoded(held_out) == text.characters[-len(held_out) :]
    assert "yield" in text.characters


def test_a_window_ends_one_before_its_targets() -> None:
    examples = windows(torch.arange(10), length=4, stride=3)
    assert examples.x.tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]]
    assert examples.target.tolist() == [[1, 2, 3, 4], [4, 5, 6, 7]]


def test_the_trigram_model_counts() -> None:
    learnt, held_out = (TEXT.decoded(part) for part in TEXT.parts)
    triples = Counter(zip(learnt, learnt[1:], learnt[2:], strict=False))
    pairs = Counter(pairwise(learnt[:-1]))
    losses = [
        -math.log((triples[a, b, c] + 1) / (pairs[a, b] + len(TEXT.alphabet)))
        for a, b, c in zip(held_out, held_out[1:], held_out[2:], strict=False)
    ]
    assert TEXT.trigram_loss() == pytest.approx(sum(losses) / len(losses), rel=1e-6)


def gradients(model: Module, task: Task, loss: Module) -> list[Tensor]:
    batch = task.examples[torch.arange(5)]
    return [*torch.autograd.grad(loss(model(batch.x), batch.target), [*model.parameters()])]


@pytest.mark.parametrize("kind", TASKS)
def test_all_gradients_are_torchs(kind: str) -> None:
    task = TASKS[kind]()
    model = task.network.double()
    twin = torch_twin(model)
    assert not any(type(each).__module__.startswith("torchref.ops") for each in twin.modules())
    mine, torchs = gradients(model, task, task.loss), gradients(twin, task, task.torchs_loss())
    assert len(mine) == len(list(model.parameters()))
    for one, other in zip(mine, torchs, strict=True):
        assert (one - other).abs().max() <= 1e-12 * other.abs().max()
        assert other.any()


@pytest.mark.parametrize("kind", few_of(TASKS, every=2, first=1))
def test_it_learns_by_hand_as_with_torch(kind: str, tmp_path: Path) -> None:
    task = replace(TASKS[kind](), epoch=60)
    told = replace(DEFAULTS, logdir=tmp_path, steps=24, batch_size=10, gradients=BOTH, quiet=True)
    outcome = train(task, replace(told, lr=0.03, threads=1, check_every=9))
    mine, torchs = (curve(outcome, run, "loss/held_out") for run in ("handwritten", "torch"))
    assert mine[-1][1] < 0.8 * mine[0][1]
    assert [loss for _, loss in mine] == pytest.approx([loss for _, loss in torchs], rel=1e-3)
    assert outcome.scalars["handwritten"]["gradients/verdict"] == 1


def test_who_looks_at_whom_is_what_attention_weighs_by() -> None:
    layer = SelfAttention(width=12, heads=2, length=7).double()
    x = torch.randn(3, 7, 12, dtype=torch.float64)
    weights = layer.weights(x)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert not weights.triu(1).any()
    *_, values = layer.queries_keys_values(x)
    mixed = layer.out((weights @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x), mixed)


def test_no_character_sees_those_after_it() -> None:
    model = TASKS["gpt"]().network.double()
    x = torch.arange(7)[None] % 5
    other = x.clone()
    other[0, 4] = 9
    before, after = model(x)[..., :4], model(other)[..., :4]
    assert torch.equal(before, after)
    assert not torch.equal(model(x)[..., 4], model(other)[..., 4])


def test_a_sample_repeats_by_its_seed() -> None:
    model = gpt.task(TEXT, 0, width=12, heads=2, blocks=3, length=7).network
    one, other = (written(model, TEXT, 7, seed) for seed in (0, 1))
    assert one == written(model, TEXT, 7, 0)
    assert one != other
    assert one.startswith("```\nThe ")


def test_every_head_has_a_picture_of_its_own_as_large_as_a_card() -> None:
    task = gpt.task(TEXT, 0, width=12, heads=2, blocks=3, length=7)
    looks = {tag: show for tag, show in task.shown.items() if tag != "written"}
    assert [*looks] == [f"attention/block{b}_head{h}" for b in (1, 2, 3) for h in (1, 2)]
    with torch.no_grad():
        pictures = [show(task.network) for show in looks.values()]
    for one, other in combinations(pictures, 2):
        assert isinstance(one, Image.Image)
        assert one.size == (CARD_WIDTH, CARD_HEIGHT)
        assert one != other


def test_heads_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    told = replace(DEFAULTS, logdir=tmp_path)
    with pytest.raises(InputError, match="--width must be a multiple of twice --heads"):
        gpt.main(told, width=20, heads=4, blocks=1, length=8)
