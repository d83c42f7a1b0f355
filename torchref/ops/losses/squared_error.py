"""The squared error."""

from torchref.ops.losses.difference import OfDifference


class SquaredError(OfDifference):
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
    def differential(dd, d):
        return (2 * dd) * d  # a Reduction's grad_y is one number: doubled at once
