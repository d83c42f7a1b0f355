"""What can be explained: a stack of linear layers and activations, torch's own or handwritten."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from torchref import nn, ops
from torchref.backprop.correspondence import LAYERS, LOSSES
from torchref.backprop.stack import Layer
from torchref.backprop.sweep import Swept
from torchref.errors import InputError
from torchref.explainer.chain.formulas import SLOPES
from torchref.functional.admission import require, require_tensor

AFFINE = (ops.Affine, ops.HomogeneousAffine)
ANY_NETWORK = "torchref.crosscheck checks the gradients of any network."


def handwritten_copies(network: nn.Module, loss: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Both in float64 with handwritten gradients, and learning; the originals stay as they are.

    Raises `InputError` for what is no stack of known layers, and for a loss that is not known.
    """
    for what, module, like in (
        ("network", network, "torch.nn.Sequential(...) makes one of layers."),
        ("loss", loss, "torch.nn has one for each function: MSELoss() for mse_loss."),
    ):
        if not isinstance(module, torch.nn.Module):
            is_class, name = isinstance(module, type), getattr(module, "__name__", repr(module))
            raise InputError(
                f"explain: the {what} must be a module",
                f"the class {name} arrived" if is_class else f"{name} arrived",
                f"Make one of it: {name}(...)." if is_class else like,
            )
    network, loss = (copy.deepcopy(module).double().cpu() for module in (network, loss))
    for module in (network, loss):
        nn.handwritten(module)
    require_layers(network)
    known = ", ".join(module.__name__ for module in LOSSES)
    require(
        type(loss) in LOSSES,
        f"explain: the loss must be one of {known}, torch's or torchref.nn's",
        f"a {type(loss).__name__} arrived",
        ANY_NETWORK,
    )
    return network.requires_grad_(True), loss


def require_layers(network: nn.Module) -> None:
    for name, module in network.named_modules():
        kind = type(module)
        if kind.forward is torch.nn.Sequential.forward or kind in LAYERS:
            continue
        here = f"{name or 'the network'} is a {kind.__name__}"
        if [*module.children()]:
            raise InputError(
                "explain: the network must be a Sequential of layers",
                f"{here}, with a forward of its own",
                "Put its layers into torch.nn.Sequential(...), in the order of its forward.",
            )
        raise InputError(
            "explain: every layer must be Linear, Sigmoid, Tanh or ReLU, torch's or torchref.nn's",
            here,
            f"Leave it out, or take one of these. {ANY_NETWORK}",
        )


def rows(name: str, x: Tensor) -> Tensor:
    """One example a row, in float64."""
    require_tensor("explain", name, x)
    x = x.detach().double().cpu()
    return x[None].clone() if x.dim() == 1 else x.clone()  # of an inference tensor a plain one


def require_probabilities(loss: nn.Module, x: Tensor, target: Tensor) -> None:
    """Asked before the target becomes rows of float64: there class numbers are like any others."""
    if isinstance(loss, nn.CrossEntropyLoss) and torch.is_tensor(target):
        require(
            target.dim() == x.dim(),
            "explain: a cross-entropy must have a probability for each class as target",
            f"target has shape {tuple(target.shape)}, of {target.dtype}",
            "one_hot(target, classes) makes them.",
        )


def require_chain(layers: list[Layer], x: Tensor) -> None:
    """A chain of factors is what affine layers and entry by entry activations make."""
    known = ", ".join(op.__name__ for op in (*AFFINE, *SLOPES))
    for layer in layers:
        if layer.op not in AFFINE and layer.op not in SLOPES:
            raise InputError(
                f"explain: every layer must compute one of {known}",
                f"{layer.name} computes {layer.op.__name__}",
                ANY_NETWORK,
            )
    modules = [layer.module for layer in layers]
    if not layers or layers[0].op not in AFFINE or len(set(modules)) < len(modules):
        raise InputError(
            "explain: the network must begin with a linear layer and use each layer once",
            f"its layers are {', '.join(layer.name for layer in layers) or 'none'}",
            "Explain the part that begins with a linear layer, as network[1:].",
        )
    if x.dim() != 2 or not len(x):
        raise InputError(
            "explain: x must be one example or a batch with one example a row",
            f"it has shape {tuple(x.shape)}",
            "Examples of more dimensions are flattened: x.flatten(1).",
        )


def require_rows(swept: Swept, layers: Iterable[Layer]) -> None:
    for layer in layers:
        shape = tuple(swept.repository.outputs[layer.name].shape)
        require(
            len(shape) == 2,
            "explain: every layer must give one row of numbers for an example",
            f"{layer.name} gives the shape {shape}",
            "Leave Unflatten out, or flatten again behind it.",
        )
