import pytest
import torch

from torchref.errors import InputError
from torchref.training import resolve_device


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("name", "count", "resolved"),
    [
        ("cpu", 0, "cpu"),
        ("cpu", 2, "cpu"),
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda"),
        ("cuda", 1, "cuda"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_takes_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, resolved: str
) -> None:
    gpus(monkeypatch, count)
    assert resolve_device(name) == torch.device(resolved)


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("cuda", 0, "The device cuda needs CUDA, but torch .* Ask for cpu"),
        ("cuda:0", 0, "The device cuda:0 needs CUDA"),
        (
            "cuda:2",
            2,
            "one of the GPUs of this machine, but there are 2. They are cuda:0 to cuda:1",
        ),
        ("gpu", 1, "must be cpu, cuda, .* but 'gpu' arrived"),
        ("cuda:", 1, "but 'cuda:' arrived"),
        ("cuda:x", 1, "but 'cuda:x' arrived"),
        ("cuda:-1", 1, "but 'cuda:-1' arrived"),
        ("cpu:1", 1, "but 'cpu:1' arrived"),
        ("", 1, "but '' arrived"),
    ],
)
def test_says_why_a_device_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int, message: str
) -> None:
    gpus(monkeypatch, count)
    with pytest.raises(InputError, match=message):
        resolve_device(name)


@pytest.mark.cuda
def test_a_real_gpu_is_found() -> None:
    assert torch.ones(1, device=resolve_device("auto")).is_cuda
