"""Vmap rules written by hand: right where all is batched along dimension 0, and not elsewhere."""

from tests.random_inputs import normals

from .planted import at, wrong_function
from .right_rules import MatrixProduct, Multiply
from .rule import gradients_of


def in_front(x, dim):
    """The batch along dimension 0, where there is one."""
    return x if dim is None else x.movedim(dim, 0)


def applies(rule):
    """A vmap rule: both inputs with the batch in front, handed to a rule for all samples."""

    def vmap(info, in_dims, left, right):
        return rule.apply(in_front(left, in_dims[0]), in_front(right, in_dims[1])), 0

    return staticmethod(vmap)


def reduced_where_shared(reduce, grads, inputs):
    """The gradients of shared inputs, which have no batch of their own, are reduced over it."""
    pairs = zip(grads, inputs, strict=True)
    return tuple(reduce(grad) if grad.dim() > x.dim() else grad for grad, x in pairs)


@at(normals((5, 4), (5, 4)))
class MultiplyWithVmap(Multiply):
    """y = left * right, with its vmap rule: a product sums the gradient of what it broadcasts."""

    vmap = applies(Multiply)


@wrong_function(
    MultiplyWithVmap,
    "vmap-wrong",
    source="a vmap rule tried with in_dims=0 alone",
    behavioural=True,
)
class ProductIsSaidToBeBatchedWhereItsInputWas(MultiplyWithVmap):
    """The batch is moved to the front, and out_dims says that it was not."""

    @staticmethod
    def vmap(info, in_dims, left, right):
        y, _ = MultiplyWithVmap.vmap(info, in_dims, left, right)
        return y, in_dims[0] or 0


@gradients_of(Multiply.forward)
def AveragedMultiply(grad_y, left, right):
    """What the samples share has the mean of their gradients."""
    grads = grad_y * right, grad_y * left
    return reduced_where_shared(lambda grad: grad.mean(0), grads, (left, right))


@wrong_function(
    MultiplyWithVmap,
    "vmap-wrong",
    source="a vmap rule whose gradient was tried inside vmap, and not through it",
    behavioural=True,
)
class ProductAveragesOverTheBatchWhatIsShared(MultiplyWithVmap):
    """Forward is right; the gradient through vmap of a shared factor is a mean, not a sum."""

    vmap = applies(AveragedMultiply)


@gradients_of(lambda left, right: left @ right)
def BatchedMatrixProduct(grad_y, left, right):
    """y = left @ right of many samples, each of which may share a factor."""
    grad_left, grad_right = grad_y @ right.mT, left.mT @ grad_y
    return grad_left.sum_to_size(left.shape), grad_right.sum_to_size(right.shape)


class MatrixProductWithVmap(MatrixProduct):
    """y = left @ right, with its vmap rule."""

    vmap = applies(BatchedMatrixProduct)


@gradients_of(BatchedMatrixProduct.forward)
def FirstSampleMatrixProduct(grad_y, left, right):
    """The gradient of a shared factor is that of the first sample."""
    grads = grad_y @ right.mT, left.mT @ grad_y
    return reduced_where_shared(lambda grad: grad[0], grads, (left, right))


@wrong_function(
    MatrixProductWithVmap,
    "vmap-wrong",
    source="a vmap rule whose gradient was tried inside vmap, and not through it",
    behavioural=True,
)
@at(normals((5, 4), (4, 3)))
class MatrixProductTakesTheFirstSampleForWhatIsShared(MatrixProductWithVmap):
    """A weight shared by all samples learns from the first alone."""

    vmap = applies(FirstSampleMatrixProduct)
