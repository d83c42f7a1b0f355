"""Backpropagation as the lectures teach it: forward, and one loop back over the layers.

No autograd and no tape. Each layer runs the forward, `setup_context` and backward of its own
handwritten op, and what the loop has computed once it keeps: the output of every layer and the
derivative of the loss with respect to it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from torchref import nn
from torchref.backprop.repository import Repository
from torchref.backprop.stack import Layer, Stack


@dataclass
class Context:
    """Takes what `setup_context` saves and gives it to `backward`, and nothing else.

    An op writes further attributes as it likes, as on autograd's own context.
    """

    needs_input_grad: tuple[bool, ...]
    saved_tensors: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        self.saved_tensors = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """The reverse sweep has no forward mode: the tangents' copy is not kept."""


@dataclass(frozen=True, repr=False)
class Swept:
    """What one sweep leaves: the loss, a gradient for each trained parameter, the repository."""

    loss: Tensor
    gradients: dict[str, Tensor]
    repository: Repository

    def __repr__(self) -> str:
        shapes = {name: tuple(gradient.shape) for name, gradient in self.gradients.items()}
        return f"Swept(loss={self.loss}, gradients={shapes}, repository={self.repository})"


def sweep(network: nn.Module, loss: nn.Module, x: Tensor, target: Tensor) -> Swept:
    """The loss of a stack of layers, the gradient of every parameter, and all between.

    Computes L = loss(network(x), target), and ∂L/∂θ for every parameter θ that requires a
    gradient, by one pass forward and one pass back.

    Shapes: x and target as `network` and `loss` take them; a gradient has its parameter's shape.
    Raises `InputError` for a layer or a loss whose op is not declared (see `correspond`), and
    whatever the layers themselves say of x and target.
    Source: lecture 001, where what is computed once is stored.

    >>> from torchref import nn
    >>> network = nn.SigmoidNetwork((1, 1, 1)).double()
    >>> for value, parameter in zip((0.15, 0.4, 0.45, 0.65), network.parameters()):
    ...     _ = nn.init.constant_(parameter, value)
    >>> x, target = torch.tensor([[[0.1]], [[0.25]]], dtype=torch.float64)
    >>> swept = sweep(network, nn.SquaredError("half_sum"), x, target)
    >>> f"{swept.gradients['linear2.weight'].item():.5f}"
    '0.05707'
    >>> f"{swept.repository.z(1).item():.3f}, {swept.repository.a(1).item():.4f}"
    '0.415, 0.6023'
    """
    stack = Stack(network, loss)
    stack.admit(x, target)
    repository = Repository.of(stack.layers, x)
    with torch.no_grad():
        value, gradients = there_and_back(stack, x, target, repository)
    return Swept(value, gradients, repository)


def there_and_back(
    stack: Stack, x: Tensor, target: Tensor, repository: Repository | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The sweep itself. Without a repository nothing outlives its last use."""
    waiting: list[tuple[Layer, Context]] = []  # for the way back, the last layer on top
    trained_below = False
    for layer in (*stack.layers, stack.pointwise_loss, stack.reduction):
        given = (target,) if layer is stack.pointwise_loss else ()
        x, context = visit(layer, trained_below, x, *given)
        trained_below = trained_below or any(context.needs_input_grad)
        if trained_below:
            waiting.append((layer, context))
        if repository:
            repository.keep_output(layer, x)

    loss = x
    grad = torch.ones((), dtype=loss.dtype, device=loss.device)  # ∂L/∂L
    gradients: dict[str, Tensor] = {}
    while waiting:
        layer, context = waiting.pop()
        if repository:
            repository.keep_delta(layer, grad)
        grad_x, *grads = as_tuple(layer.op.backward(context, grad))
        for parameter, gradient in zip(reversed(layer.parameters), reversed(grads), strict=False):
            if parameter is not None and gradient is not None:
                name = stack.names[parameter]  # a parameter of two layers gets the sum of both
                gradients[name] = gradients[name] + gradient if name in gradients else gradient
        if grad_x is not None:
            grad = grad_x
    return loss, gradients


def visit(layer: Layer, need_x: bool, x: Tensor, *given: Tensor) -> tuple[Tensor, Context]:
    """The output of a layer, and the context in which its op has saved for the way back."""
    inputs = (x, *given, *layer.operands_for(x))
    needs = (parameter is not None and parameter.requires_grad for parameter in layer.parameters)
    context = Context((need_x, *(False for _ in given), *needs))
    y: Tensor = layer.op.forward(*inputs)
    layer.op.setup_context(context, inputs, y)
    return y, context


def as_tuple(grads: Tensor | tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """What a backward returns: an op with one input returns its gradient alone."""
    return grads if isinstance(grads, tuple) else (grads,)
