"""The device that is named on the command line."""

import torch

from torchref.errors import InputError


def device_named(name: str) -> torch.device:
    if name not in ("cpu", "cuda"):
        raise InputError("--device must be cpu or cuda", f"{name!r} arrived", "The default is cpu.")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda needs a CUDA device and a torch built for it",
            f"torch {torch.__version__} finds none",
            "Leave --device out to run on the CPU.",
        )
    return torch.device(name)
