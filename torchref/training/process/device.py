"""The device that a command line asks for. Nothing is chosen behind the user's back."""

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch

from torchref.errors import InputError

T = TypeVar("T")


def resolve_device(name: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:1`, ... or `auto`: CUDA where there is some, else the CPU.

    Raises `InputError` for any other name, and for CUDA that this machine does not have: work
    asked for on a GPU never moves to the CPU in silence.

    >>> resolve_device("cpu")
    device(type='cpu')
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    kind, colon, index = name.partition(":")
    if name != "cpu" and (kind != "cuda" or (bool(colon) and not index.isdecimal())):
        raise InputError(
            "The device must be cpu, cuda, cuda:0, cuda:1, ... or auto",
            f"{name!r} arrived",
            "auto takes CUDA where there is some and the CPU elsewhere.",
        )
    if kind == "cuda" and not count:
        why = (
            f"torch {torch.__version__} finds no GPU here"
            if torch.backends.cuda.is_built()
            else f"torch {torch.__version__} is built without CUDA"
        )
        raise InputError(
            f"The device {name} needs CUDA", why, "Ask for cpu, or for auto to take what there is."
        )
    if index and int(index) >= count:
        raise InputError(
            f"The device {name} must be one of the GPUs of this machine",
            f"there are {count}",
            f"They are cuda:0 to cuda:{count - 1}.",
        )
    return torch.device(name)


def compute_alike(deterministic: bool, threads: int) -> None:
    """Keeps TF32 out of gradients that are compared; `deterministic` also repeats CUDA's sums.

    Sums on the CPU go with the number of threads.
    """
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True)


def synchronize(device: torch.device) -> None:
    """Waits for the work on the device, so that a clock read now has seen it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def alike(contenders: Sequence[T], device: torch.device) -> Iterator[T]:
    """The contenders in turn, each of which draws the same random numbers: the masks of dropout.

    >>> one, other = [torch.rand(()) for _ in alike("ab", torch.device("cpu"))]
    >>> bool(one == other)
    True
    """
    state = torch.get_rng_state()
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    for number, each in enumerate(contenders):
        if number:
            torch.set_rng_state(state)
            if on_device is not None:
                torch.cuda.set_rng_state(on_device, device)
        yield each
