"""Gradients in the wrong slot, the wrong orientation or without their last row."""

import torch
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, normals


class Multiply(SavesInputs):
    """y = left * right, of one shape."""

    @staticmethod
    def forward(left, right):
        return left * right

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return (grad_y * right).sum_to_size(left.shape), (grad_y * left).sum_to_size(right.shape)


class MultiplyWithSwappedSlots(Multiply):
    """Each factor receives the gradient of the other."""

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return grad_y * left, grad_y * right


class SwiGlu(SavesInputs):
    """y = silu(gate) * up."""

    @staticmethod
    def forward(gate, up):
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, grad_y):
        gate, up = ctx.saved_tensors
        sigmoid = gate.sigmoid()
        grad_gate = grad_y * up * sigmoid * (1 + gate * (1 - sigmoid))
        return grad_gate, grad_y * gate * sigmoid


class SwiGluWithSwappedStores(SwiGlu):
    """Two results are stored under each other's name."""

    @staticmethod
    def backward(ctx, grad_y):
        grad_gate, grad_up = SwiGlu.backward(ctx, grad_y)
        return grad_up, grad_gate


class MatrixProduct(SavesInputs):
    """y = left @ right."""

    @staticmethod
    def forward(left, right):
        return torch.mm(left, right)

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return grad_y @ right.t(), left.t() @ grad_y


class MatrixProductTransposedTwice(MatrixProduct):
    """right is transposed once too often; only square matrices let it run."""

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return grad_y @ right, left.t() @ grad_y


class MatrixProductWithTransposedResult(MatrixProduct):
    """grad_right is returned transposed; only a square right lets it run."""

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return grad_y @ right.t(), grad_y.t() @ left


class MatrixProductWithoutLastRow(MatrixProduct):
    """A loop over rows that ends one too early leaves the last row of grad_left at zero."""

    @staticmethod
    def backward(ctx, grad_y):
        left, right = ctx.saved_tensors
        return F.pad(grad_y[:-1] @ right.t(), (0, 0, 0, 1)), left.t() @ grad_y


BUGS = (
    PlantedBug(
        name="product gives each factor the other's gradient",
        wrong=MultiplyWithSwappedSlots,
        right=Multiply,
        reference=torch.mul,
        ordinary=normals((5, 4), (5, 4)),
        tripping=normals((5, 4), (5, 4)),
        causes=("swapped-arguments",),
        source="Oneflow-Inc/oneflow#6149",
    ),
    PlantedBug(
        name="swiglu stores both gradients under each other's name",
        wrong=SwiGluWithSwappedStores,
        right=SwiGlu,
        reference=lambda gate, up: F.silu(gate) * up,
        ordinary=normals((3, 5), (3, 5)),
        tripping=normals((3, 5), (3, 5)),
        causes=("swapped-arguments",),
        source="unslothai/unsloth#3314",
    ),
    PlantedBug(
        name="matrix product uses right without its transpose",
        wrong=MatrixProductTransposedTwice,
        right=MatrixProduct,
        reference=torch.mm,
        ordinary=normals((4, 3), (3, 5)),
        tripping=normals((5, 4), (4, 4)),
        causes=("transposed", "raises"),
        source="huggingface/diffusers#14338",
    ),
    PlantedBug(
        name="matrix product returns grad_right transposed",
        wrong=MatrixProductWithTransposedResult,
        right=MatrixProduct,
        reference=torch.mm,
        ordinary=normals((5, 4), (4, 4)),
        tripping=normals((5, 4), (4, 4)),
        causes=("transposed",),
        source="huggingface/diffusers#14341",
    ),
    PlantedBug(
        name="matrix product forgets the last row",
        wrong=MatrixProductWithoutLastRow,
        right=MatrixProduct,
        reference=torch.mm,
        ordinary=normals((6, 3), (3, 4)),
        tripping=normals((6, 3), (3, 4)),
        causes=("wrong-elements",),
        source="a loop that ends one too early",
    ),
)
