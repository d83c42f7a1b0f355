"""The squared error of each entry; `Reduction` makes one value of them."""

from torchref.ops.op import Op, save


class SquaredError(Op):
    r"""y = (x − t)², with the target t, entry by entry.

    Derivation: ∂y/∂x = 2 (x − t) = −∂y/∂t.
    Shapes: x, target and y alike, any.
    Saves x and target.
    Source: lecture 002; lecture 003 halves it, see `Reduction`.

    >>> SquaredError.call(torch.tensor([0.7153]), torch.tensor([0.25]))
    tensor([0.2165])
    """

    @staticmethod
    def forward(x, target):
        return (x - target) ** 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        save(ctx, *inputs)

    @staticmethod
    def backward(ctx, grad_y):
        x, target = ctx.saved_tensors
        need_x, need_target = ctx.needs_input_grad
        grad_x = (2 * grad_y) * (x - target)  # a Reduction's grad_y is one number: doubled at once
        return grad_x if need_x else None, -grad_x if need_target else None

    @staticmethod
    def tangent(ctx, dx, dtarget):
        x, target = ctx.saved_tensors
        return 2 * (x - target) * (dx - dtarget)
