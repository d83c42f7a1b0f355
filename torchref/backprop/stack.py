"""A network and its loss as one list of ops, in the order of the forward pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop.correspondence import LAYERS, LOSSES, Operand, Rearrangement
from torchref.errors import InputError
from torchref.functional.admission import require_tensor
from torchref.ops import Op, Reduction


@dataclass(frozen=True)
class Layer:
    """One op of the stack, and the module that holds what it computes with."""

    name: str
    module: nn.Module
    op: type[Op] | type[Rearrangement]
    operands: tuple[Operand, ...]

    def operands_for(self, x: Tensor) -> tuple[Any, ...]:
        """What the op's forward receives after x."""
        return tuple(
            getattr(self.module, operand) if isinstance(operand, str) else operand(self.module, x)
            for operand in self.operands
        )

    @cached_property
    def parameters(self) -> tuple[nn.Parameter | None, ...]:
        """For each operand the parameter that it is, if it is one."""
        attributes = (
            getattr(self.module, operand) if isinstance(operand, str) else None
            for operand in self.operands
        )
        return tuple(x if isinstance(x, nn.Parameter) else None for x in attributes)


class Stack:
    """The layers of a network, one after the other, and a loss that makes one value of them."""

    def __init__(self, network: nn.Module, loss: nn.Module) -> None:
        require_modules(network, loss)
        self.network, self.loss = network, loss
        self.layers = tuple(_layers("", network))
        self.pointwise_loss = _pointwise_loss(loss)
        self.reduction = Layer("loss.reduction", loss, Reduction, (_weight, "reduction"))
        self.names = {parameter: name for name, parameter in network.named_parameters()}

    @property
    def held(self) -> dict[str, Tensor]:
        """All tensors that the sweep reads besides x and target."""
        own = dict(self.network.named_parameters()) | dict(self.network.named_buffers())
        return own | {f"loss.{name}": x for name, x in self.loss.named_buffers()}

    def admit(self, x: Tensor, target: Tensor) -> None:
        """Let the layers and the loss themselves say what is wrong with the inputs."""
        require_tensor("backprop", "x", x)
        require_tensor("backprop", "target", target)
        if torch.is_autocast_enabled(x.device.type):
            raise InputError(
                "backprop: the sweep computes in the dtype of the parameters",
                "autocast is on",
                "Leave autocast, or train with the layers under autograd.",
            )
        with torch.no_grad():
            output = self.network(x)
            value = self.loss(output, target)
        if isinstance(self.loss, nn.CrossEntropyLoss):
            admit_cross_entropy(self.loss, output, target)
        if value.dim():
            raise InputError(
                "backprop: the loss must be one value",
                f"it has shape {tuple(value.shape)}",
                'Choose another reduction than "none".',
            )
        devices = {(p.dtype, p.device) for p in self.names} | {(value.dtype, value.device)}
        if len(devices) > 1:
            raise InputError(
                "backprop: parameters, x and target must have the same dtype and device",
                f"there are {sorted(map(str, devices))}",
                "Convert them with .to().",
            )


def admit_cross_entropy(loss: nn.CrossEntropyLoss, output: Tensor, target: Tensor) -> None:
    """The op takes a row of probabilities for a row of logits, and that only."""
    if (
        loss.weight is not None
        or loss.label_smoothing
        or not target.is_floating_point()
        or output.dim() > 2
    ):
        raise InputError(
            "backprop: a cross-entropy must have probabilities as targets, one row an example, and "
            "no weight or label smoothing of its own",
            f"target is {target.dtype} of shape {tuple(target.shape)}, the loss is {loss}",
            "one_hot(target, classes).to(x.dtype) makes them; weights and smoothing go into it.",
        )


def require_modules(network: Any, loss: Any) -> None:
    for what, module in (("network", network), ("loss", loss)):
        if isinstance(module, nn.Module):
            continue
        is_class, name = isinstance(module, type), getattr(module, "__name__", repr(module))
        raise InputError(
            f"backprop: the {what} must be a module of torchref.nn",
            f"the class {name} arrived" if is_class else f"{name} arrived",
            f"Make one of it: {name}(...)." if is_class else "torchref.nn has one for a function.",
        )


def _layers(name: str, module: nn.Module) -> Iterator[Layer]:
    if type(module).forward is nn.Sequential.forward:
        for child_name, child in module._modules.items():  # named_children() names a child once
            if child is not None:
                yield from _layers(f"{name}.{child_name}" if name else child_name, child)
    elif type(module) in LAYERS:
        found = LAYERS[type(module)]
        yield Layer(name or type(module).__name__.lower(), module, found.op, found.operands)
    else:
        raise InputError(
            "backprop: the network must be a stack of layers whose op is known "
            f"({_names(LAYERS)}, in Sequentials)",
            f"{name or 'the network'} is a {type(module).__module__}.{type(module).__qualname__}",
            "Declare the op of a layer with torchref.backprop.correspond(layer, op, *operands).",
        )


def _pointwise_loss(loss: nn.Module) -> Layer:
    if type(loss) not in LOSSES:
        raise InputError(
            f"backprop: the loss must be one of torchref.nn's ({_names(LOSSES)})",
            f"a {type(loss).__module__}.{type(loss).__qualname__} arrived",
            "Take its twin from torchref.nn.",
        )
    found = LOSSES[type(loss)]
    return Layer("loss.pointwise", loss, found.op, found.operands)


def _weight(loss: nn.Module, _: Tensor) -> Tensor | None:
    """torch's mean squared error is the one loss that keeps no weight."""
    return getattr(loss, "weight", None)


def _names(known: dict[type[nn.Module], Any]) -> str:
    return ", ".join(module.__name__ for module in known)
