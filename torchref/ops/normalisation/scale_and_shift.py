"""y = x̂ w + b, with weight and bias broadcast to x̂: what all normalisations end with.

Derivation: ∂L/∂x̂ = g w with g = ∂L/∂y, entry by entry; an entry of w or b was used by all entries
of x̂ that it was broadcast to, so ∂L/∂w = Σ g x̂ and ∂L/∂b = Σ g over these. Without a weight w = 1.
"""

from torch import Tensor


def scaled(x_hat: Tensor, weight: Tensor | None) -> Tensor:
    """x̂ w, and of a gradient g its share g w for x̂: the map is its own transpose."""
    return x_hat if weight is None else x_hat * weight


def scaled_and_shifted(x_hat: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    y = scaled(x_hat, weight)
    return y if bias is None else y + bias


def scale_gradient(grad_y: Tensor, x_hat: Tensor, weight: Tensor) -> Tensor:
    """∂L/∂w = Σ g x̂."""
    return (grad_y * x_hat).sum_to_size(weight.shape)


def shift_gradient(grad_y: Tensor, bias: Tensor) -> Tensor:
    """∂L/∂b = Σ g."""
    return grad_y.sum_to_size(bias.shape)


def scale_and_shift_tangent(
    x_hat: Tensor,
    dx_hat: Tensor,
    weight: Tensor | None,
    dweight: Tensor | None,
    dbias: Tensor | None,
) -> Tensor:
    """dy = dx̂ w + x̂ dw + db."""
    dy = scaled(dx_hat, weight)
    if dweight is not None:
        dy = dy + x_hat * dweight
    return dy if dbias is None else dy + dbias
