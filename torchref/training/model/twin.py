"""The same model in torch's own layers: what a handwritten model is compared with."""

import copy

import torch
from torch import Tensor
from torch.nn import Module

import torchref.nn
from torchref.errors import InputError


class HomogeneousLinear(torchref.nn.HomogeneousLinear):
    """The same in torch's own operations: torch has no layer with the bias folded in."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.nn.functional.linear(input, self.weight[:, :-1], self.weight[:, -1])


CONTAINERS = (torchref.nn.SigmoidNetwork,)  # they compute nothing themselves
FOLDED = {torchref.nn.HomogeneousLinear: HomogeneousLinear}


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
    for name, module in twin.named_modules():
        handwritten = type(module)
        if not is_handwritten(handwritten) or isinstance(module, CONTAINERS):
            continue
        torchs = FOLDED.get(handwritten) or getattr(torch.nn, handwritten.__name__, None)
        if torchs is None:
            raise InputError(
                "torch must have the layers of a model that is compared with it",
                f"{name or 'the model'} is a {handwritten.__name__}",
                f"torch has {', '.join(sorted(named_alike()))}.",
            )
        # Each handwritten layer is a subclass of torch's that replaces its `forward` only.
        module.__class__ = torchs
    return twin


def named_alike() -> set[str]:
    """The handwritten layers that bear the name of one of torch's."""
    return {
        name
        for name, layer in vars(torchref.nn).items()
        if isinstance(layer, type) and is_handwritten(layer) and hasattr(torch.nn, name)
    }


def is_handwritten(layer: type) -> bool:
    """Whether it is one of the layers of `torchref.nn`, whose files are its modules."""
    return f"{layer.__module__}.".startswith(f"{torchref.nn.__name__}.")
