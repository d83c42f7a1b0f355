"""The benchmark of gradient checkers, on a few bugs and small sizes."""

import json
from pathlib import Path

import pytest
import torch

from experiments import benchmark_crosscheck
from experiments.benchmark import checkers, corpora, cost, sight


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEVELOPED_ON", "UNSEEN"):
        corpus = getattr(corpora, name)
        few = corpora.Corpus(corpus.bugs[:2], corpus.right[:2])
        monkeypatch.setattr(benchmark_crosscheck, name, few)
    for room in (sight, cost):
        monkeypatch.setattr(room, "SIZES", (100,))
        monkeypatch.setattr(room, "LARGE_SIZES", (200,))


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_it_writes_what_every_checker_sees_and_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark_crosscheck.main(out=tmp_path, seed=0, threads=1, quick=True, unseen=True)
    results = json.loads((tmp_path / "benchmark_crosscheck.json").read_text())
    assert results["planted bugs"]["of"] == {"bugs": 1}
    assert results["planted bugs"]["crosscheck"] == {"tripping": 1, "ordinary": 1, "named": 1}
    assert results["unseen bugs"]["of"] == {"bugs": 1}
    assert results["unseen bugs"]["crosscheck"] == {"tripping": 1, "ordinary": 1, "named": 1}
    assert results["false alarms"]["crosscheck"] == results["unseen right functions"]["crosscheck"]
    assert results["false alarms"]["crosscheck"] == 0
    assert [(row["batch"], row["entries"]) for row in results["seconds"]] == [
        ("square", 105),
        ("7 rows", 84),
        ("square", 210),
    ]
    assert all(seconds > 0 for seconds in results["first call"])
    small, large = results["smallest error"]
    assert small["crosscheck"] <= 1e-6 < small["gradcheck, slow"]
    assert "gradcheck, slow" not in large
    assert (tmp_path / "benchmark_crosscheck.png").stat().st_size > 10_000
    table = capsys.readouterr().out
    assert all(name in table for name in ("crosscheck", *checkers.PEERS))


class Halved(torch.autograd.Function):
    """y = x, with half its gradient."""

    @staticmethod
    def forward(_, x):
        return x.clone()

    @staticmethod
    def backward(_, grad_y):
        return grad_y / 2


def test_the_peers_notice_a_halved_gradient_and_nothing_in_a_right_one() -> None:
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    first_order = {name: it for name, it in checkers.PEERS.items() if name != "gradgradcheck"}
    for noticed in first_order.values():
        assert noticed(Halved, torch.clone, (x,))
        assert not noticed(torch.sin, torch.sin, (x,))


def test_what_takes_a_peer_too_long_it_has_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = checkers.PEERS["gradcheck, slow"]
    x = torch.randn(2000, dtype=torch.float64, requires_grad=True)
    assert slow(Halved, torch.clone, (x,))
    monkeypatch.setattr(checkers, "MOST_SECONDS", 0.01)
    assert not slow(Halved, torch.clone, (x,))
