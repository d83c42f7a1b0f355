"""Weights and biases from a file: JSON, npz, or a state_dict that torch has saved."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchref import nn
from torchref.errors import InputError

KINDS = "a .json, .npz or .pt file"


def load_weights(network: nn.Module, file: Path) -> None:
    """Put the values of a file into the parameters of a network.

    The file maps the name of every parameter, as `network.state_dict()` has it, to its numbers: a
    .json file to nested lists, an .npz file to arrays, a .pt or .pth file to tensors. Of the last
    nothing but tensors is loaded: no code in it can run.
    Raises `InputError` for a file that cannot be read, names that are missing or not known, and
    values of another shape.
    """
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise InputError(f"--weights must be {KINDS}", f"{file} arrived", "Its ending says which.")
    try:
        values = reader(file)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            "--weights must be a file that can be read",
            f"{file} cannot be: {why}",
            f"Give the path, from the folder in which you are, of {KINDS}.",
        ) from None
    parameters = dict(network.named_parameters())
    if not isinstance(values, Mapping) or set(values) != set(parameters):
        arrived = ", ".join(map(str, values)) if isinstance(values, Mapping) else "no names"
        raise InputError(
            f"--weights must hold {', '.join(parameters)}, and nothing else",
            f"{file} holds {arrived or 'nothing'}",
            "These are the names of the network's state_dict.",
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(fitting(name, parameter, values[name]))


def fitting(name: str, parameter: Tensor, value: Any) -> Tensor:
    """The value as a tensor of the parameter's shape; a single number may stand alone."""
    try:
        is_real = not (torch.is_tensor(value) and value.is_complex())
        own = torch.as_tensor(value if is_real else torch.nan, dtype=torch.float64)
    except (ValueError, TypeError, RuntimeError):
        own = torch.full((), torch.nan)
    if own.numel() == parameter.numel() == 1:
        own = own.reshape(parameter.shape)
    if not own.isfinite().all():
        raise InputError(
            f"--weights: {name} must be finite numbers, in lists of one length",
            f"{' '.join(str(value).split())[:60]} arrived",
            f"Its shape is {tuple(parameter.shape)}.",
        )
    if own.shape != parameter.shape:
        raise InputError(
            f"--weights: {name} must have the shape {tuple(parameter.shape)}",
            f"{tuple(own.shape)} arrived",
            "A row for each neuron, a column for each input: file and network differ in size.",
        )
    return own


def read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise unreadable("JSON", file, error, '{"linear1.weight": [[0.1, 0.2]], …}') from None


def read_npz(file: Path) -> Any:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        like = 'numpy.savez(file, **{"linear1.weight": weight, …})'
        raise unreadable("an archive of arrays", file, error, f"{like} writes one.") from None


def read_state_dict(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # what is no state_dict raises whatever its bytes lead to
        like = "torch.save(network.state_dict(), file) writes one."
        raise unreadable("a state_dict, and no more", file, error, like) from None


def unreadable(what: str, file: Path, error: Exception, like: str) -> InputError:
    why = str(error).strip().partition("\n")[0] or type(error).__name__
    return InputError(f"--weights must be {what}", f"{file} is not: {why}", like)


READERS: dict[str, Callable[[Path], Any]] = {
    ".json": read_json,
    ".npz": read_npz,
    ".pt": read_state_dict,
    ".pth": read_state_dict,
}
