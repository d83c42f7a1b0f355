"""What a notebook shows of reports: whole, well-formed, legible, and with nothing unescaped."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

import torchref
from torchref import compare, crosscheck, explain, nn

EVIL = "<script>alert('&amp;')</script>"
VOID = {"br", "meta"}


class Page(HTMLParser):
    """Reads HTML strictly: each tag is closed where it has to be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.text += f"{data} "


class Forgets(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_y):
        (x,) = ctx.saved_tensors
        return torch.sigmoid(x) * (1 + x * (1 - torch.sigmoid(x)))


Forgets.__name__ = Forgets.__qualname__ = EVIL


def report() -> tuple[Any, list[str]]:
    found = crosscheck(Forgets, torch.nn.functional.silu, (torch.ones(4, 3),))
    finding = found.findings[0]
    told = [EVIL, "against silu", "wrong", finding.cause, finding.evidence, finding.look_at]
    return found, [*told, *found.notes, *(check.name for check in found.checks)]


def report_with_an_expectation() -> tuple[Any, list[str]]:
    found = crosscheck(
        Forgets,
        torch.nn.functional.silu,
        (torch.ones(4, 3),),
        expect={"ignores-grad-output": EVIL},
    )
    return found, [f"expected: ignores-grad-output in {found.expected[0][0].where}: {EVIL}"]


def comparison() -> tuple[Any, list[str]]:
    true = torch.randn(3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = compare({EVIL: 32 * true, "b": true}, {EVIL: true, "b": true}, values={"batch": 32})
    return found, ["2 gradients", EVIL, "different", "exact", "constant-factor", "32 is the batch"]


def audit() -> tuple[Any, list[str]]:
    x = torch.ones(4, 3, requires_grad=True)
    with torchref.audit() as program:
        (Forgets.apply(x) + torchref.ops.Sigmoid.apply(x)).sum().backward()
    return program.report(), [EVIL, "Sigmoid", "right", "wrong", "4×3", "ignores-grad-output"]


def empty_audit() -> tuple[Any, list[str]]:
    with torchref.audit() as program:
        pass
    return program.report(), ["cannot tell", "No Function was applied"]


def explanation() -> tuple[Any, list[str]]:
    network = torch.nn.Sequential()
    network.add_module(EVIL, nn.Linear(2, 1))
    network.add_module("sigmoid1", nn.Sigmoid())
    found = explain(network.double(), nn.BCELoss(), torch.ones(2).double(), torch.ones(1).double())
    told = ["The chain rule", "∂L/∂w⁽¹⁾₁₁", "The verdict: right", "What the reuse saves"]
    return found, [EVIL, *told]


@pytest.mark.parametrize(
    "made",
    [report, report_with_an_expectation, comparison, audit, empty_audit, explanation],
    ids=lambda made: made.__name__,
)
def test_it_says_all_of_it_and_runs_nothing(made) -> None:
    found, told = made()
    page = Page(found._repr_html_())
    assert "script" not in page.tags
    shown = " ".join(page.text.split())
    for words in told:
        assert " ".join(words.split()) in shown
    assert repr(found) == str(found)


def test_a_verdict_is_legible_whatever_the_page() -> None:
    """White on each ground, by the contrast that WCAG asks of text."""
    style = Path(torchref.__file__).parent / "checker" / "report" / "notebook.html.jinja"
    grounds = re.findall(r"background: #(\w{6})", style.read_text(encoding="utf-8"))
    assert len(grounds) == 5
    for ground in grounds:
        parts = [int(ground[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        luminance = sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        assert 1.05 / (luminance + 0.05) >= 4.5
