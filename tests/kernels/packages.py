"""The kernels of each package that is installed, and why those of another are skipped."""

import importlib
import logging

import pytest
import torch

from tests.kernels.kernel import Kernel
from tests.kernels.planted import ERRORS

PACKAGES = ("handwritten", "liger", "fla", "torchnorm", "saga")
logging.getLogger("liger_kernel").setLevel(logging.ERROR)  # that other devices' parts are missing


def kernels_of(package: str) -> list[Kernel]:
    """Raises pytest's Skipped, with the reason, where the package is not installed."""
    return list(importlib.import_module(f"tests.kernels.of_{package}").KERNELS)


def each_kernel() -> list[object]:
    """Each with each dtype, as parameters of a test."""
    parameters: list[object] = []
    for package in PACKAGES:
        try:
            kernels = kernels_of(package)
        except pytest.skip.Exception as missing:
            reason = pytest.mark.skip(reason=str(missing))
            parameters.append(pytest.param(None, None, marks=reason, id=package))
            continue
        for kernel in kernels:
            for dtype in ERRORS:
                short = {torch.float32: "float32", torch.bfloat16: "bfloat16"}[dtype]
                parameters.append(pytest.param(kernel, dtype, id=f"{kernel.name}-{short}"))
    return parameters
