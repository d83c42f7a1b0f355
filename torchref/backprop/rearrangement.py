"""What `Flatten`, `Unflatten` and `Identity` do. They compute nothing, so there is no op."""

from typing import Any

from torch import Tensor


class Rearrangement:
    """y has the entries of x in another shape: y_k = x_k, so ∂L/∂x is ∂L/∂y in the shape of x."""

    @staticmethod
    def forward(x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return x.reshape(shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _: Tensor) -> None:
        x, _ = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, None]:
        return grad_y.reshape(ctx.shape), None  # shape
