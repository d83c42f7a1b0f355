"""Another shape for the same entries, in the same order."""

from torchref.ops.op import Op


class Reshape(Op):
    r"""y has the entries of x in another shape.

    Derivation: y_k = x_k in the order of the entries, so ∂L/∂x is ∂L/∂y in the shape of x.
    Shapes: x any, y of the given shape, which has as many entries.
    Saves nothing but the shape of x.
    Source: `torch.nn.Flatten` and `torch.nn.Unflatten`.

    >>> Reshape.call(torch.zeros(5, 2, 3), (5, 6)).shape
    torch.Size([5, 6])
    """

    @staticmethod
    def forward(x, shape):
        return x.reshape(shape)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.to = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y.reshape(ctx.shape), None  # shape

    @staticmethod
    def tangent(ctx, dx, _):
        return dx.reshape(ctx.to)
