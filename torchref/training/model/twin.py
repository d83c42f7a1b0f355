"""The same model in torch's own layers: what a handwritten model is compared with."""

import copy

from torch.nn import Module

import torchref.nn
from torchref.errors import InputError


def torch_twin(model: Module) -> Module:
    """A copy of the model with torch's own layers, under the same names and with the same weights.

    Raises `InputError` for a layer that torch does not have.

    >>> torch_twin(torchref.nn.Sequential(torchref.nn.Linear(2, 3), torchref.nn.Sigmoid()))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Sigmoid()
    )
    """
    twin = copy.deepcopy(model)
    for name, why in torchref.nn.by_torch(twin).left.items():
        raise InputError(
            "torch must have the layers of a model that is compared with it",
            f"{name or 'the model'}: {why}",
            "Take another layer, or give Task a loss of torch's as torch_loss=.",
        )
    return twin
