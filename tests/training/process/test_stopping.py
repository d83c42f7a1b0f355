import os
import signal
import time

import pytest
import torch

import torchref.nn as nn
from tests.warm_process import processes
from torchref.training.process.stopping import NotFiniteError, Patience, StopRequest, require_finite


def test_a_request_is_noted_and_the_old_handlers_come_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as request:
        assert request.number == 0
        signal.raise_signal(signal.SIGTERM)
        assert request.number == signal.SIGTERM
    told = capfd.readouterr().err
    assert told.startswith("\nStops after the step in hand, and saves; a second signal ends it at")
    assert signal.getsignal(signal.SIGTERM) == before


def test_of_many_processes_the_first_alone_says_that_it_was_heard(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "1")
    with StopRequest():
        signal.raise_signal(signal.SIGTERM)
    assert capfd.readouterr().err == ""


def ask_twice() -> None:
    with StopRequest():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)


@pytest.mark.slow
def test_a_second_request_leaves_at_once() -> None:
    process = processes.Process(target=ask_twice)
    process.start()
    process.join(60)
    assert process.exitcode == 130


def test_patience_counts_from_the_best() -> None:
    patience = Patience(2)
    for loss, over in ((3.0, False), (2.0, False), (2.0, False), (1.0, False), (1.5, False)):
        patience.look(loss)
        assert patience.over is over
    patience.look(1.0)
    assert patience.over
    endless = Patience(0)
    for _ in range(9):
        endless.look(1.0)
    assert not endless.over


def test_the_first_layer_whose_output_is_not_finite_is_named() -> None:
    class Broken(nn.Sigmoid):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(input) / 0

    model = nn.Sequential(nn.Linear(3, 2), Broken(), nn.Sigmoid(), nn.Linear(2, 1))
    require_finite(1.0, 5, model, torch.ones(4, 3))
    with pytest.raises(NotFiniteError, match=r"nan at step 5\. The first layer .* is 1\. Try"):
        require_finite(float("nan"), 5, model, torch.ones(4, 3))
