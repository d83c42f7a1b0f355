"""Vmap rules written by hand: right where all is batched along dimension 0, and not elsewhere."""

from tests.random_inputs import normals

from .planted import wrong_function
from .right_rules import MatrixProduct, Multiply


def in_front(x, dim):
    """The batch along dimension 0, where there is one."""
    return x if dim is None else x.movedim(dim, 0)


class MultiplyWithVmap(Multiply):
    """y = left * right, with its vmap rule: a product sums the gradient of what it broadcasts."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        return Multiply.apply(in_front(left, in_dims[0]), in_front(right, in_dims[1])), 0


@wrong_function(
    MultiplyWithVmap,
    "vmap-wrong",
    inputs=normals((5, 4), (5, 4)),
    source="a vmap rule tried with in_dims=0 alone",
    behavioural=True,
)
class ProductIsSaidToBeBatchedWhereItsInputWas(MultiplyWithVmap):
    """The batch is moved to the front, and out_dims says that it was not."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        y, _ = MultiplyWithVmap.vmap(info, in_dims, left, right)
        return y, in_dims[0] or 0


class AveragedMultiply(Multiply):
    """What the samples share has the mean of their gradients."""

    @staticmethod
    def gradients(grad_y, left, right):
        grads = grad_y * right, grad_y * left
        pairs = zip(grads, (left, right), strict=True)
        return tuple(grad.mean(0) if grad.dim() > x.dim() else grad for grad, x in pairs)


@wrong_function(
    MultiplyWithVmap,
    "vmap-wrong",
    inputs=normals((5, 4), (5, 4)),
    source="a vmap rule whose gradient was tried inside vmap, and not through it",
    behavioural=True,
)
class ProductAveragesOverTheBatchWhatIsShared(MultiplyWithVmap):
    """Forward is right; the gradient through vmap of a shared factor is a mean, not a sum."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        return AveragedMultiply.apply(in_front(left, in_dims[0]), in_front(right, in_dims[1])), 0


class BatchedMatrixProduct(MatrixProduct):
    """y = left @ right of many samples, each of which may share a factor."""

    @staticmethod
    def forward(left, right):
        return left @ right

    @staticmethod
    def gradients(grad_y, left, right):
        grad_left, grad_right = grad_y @ right.mT, left.mT @ grad_y
        return grad_left.sum_to_size(left.shape), grad_right.sum_to_size(right.shape)


class MatrixProductWithVmap(MatrixProduct):
    """y = left @ right, with its vmap rule."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        left, right = in_front(left, in_dims[0]), in_front(right, in_dims[1])
        return BatchedMatrixProduct.apply(left, right), 0


class FirstSampleMatrixProduct(BatchedMatrixProduct):
    """The gradient of a shared factor is that of the first sample."""

    @staticmethod
    def gradients(grad_y, left, right):
        grads = grad_y @ right.mT, left.mT @ grad_y
        pairs = zip(grads, (left, right), strict=True)
        return tuple(grad[0] if grad.dim() > x.dim() else grad for grad, x in pairs)


@wrong_function(
    MatrixProductWithVmap,
    "vmap-wrong",
    inputs=normals((5, 4), (4, 3)),
    source="a vmap rule whose gradient was tried inside vmap, and not through it",
    behavioural=True,
)
class MatrixProductTakesTheFirstSampleForWhatIsShared(MatrixProductWithVmap):
    """A weight shared by all samples learns from the first alone."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        left, right = in_front(left, in_dims[0]), in_front(right, in_dims[1])
        return FirstSampleMatrixProduct.apply(left, right), 0
