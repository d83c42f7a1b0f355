"""Gradients in the wrong slot, the wrong orientation or without their last row."""

from torch.nn import functional as F

from tests.random_inputs import normals

from .planted import at, wrong_backward
from .right_rules import MatrixProduct, Multiply, SwiGlu


@wrong_backward(Multiply, "swapped-arguments", source="Oneflow-Inc/oneflow#6149")
@at(normals((5, 4), (5, 4)))
def product_gives_each_factor_the_others_gradient(grad_y, left, right):
    return grad_y * left, grad_y * right


@wrong_backward(SwiGlu, "swapped-arguments", source="unslothai/unsloth#3314")
@at(normals((3, 5), (3, 5)))
def swiglu_stores_both_gradients_under_each_others_name(grad_y, gate, up):
    grad_gate, grad_up = SwiGlu.gradients(grad_y, gate, up)
    return grad_up, grad_gate


@wrong_backward(MatrixProduct, "transposed", "raises", source="huggingface/diffusers#14338")
@at(normals((4, 3), (3, 5)), tripping=normals((5, 4), (4, 4)))
def matrix_product_uses_right_without_its_transpose(grad_y, left, right):
    """right is transposed once too often; only square matrices let it run."""
    return grad_y @ right, left.t() @ grad_y


@wrong_backward(MatrixProduct, "transposed", source="huggingface/diffusers#14341")
@at(normals((5, 4), (4, 4)))
def matrix_product_returns_grad_right_transposed(grad_y, left, right):
    """grad_right is returned transposed; only a square right lets it run."""
    return grad_y @ right.t(), grad_y.t() @ left


@wrong_backward(MatrixProduct, "wrong-elements", source="a loop that ends one too early")
@at(normals((6, 3), (3, 4)))
def matrix_product_forgets_the_last_row(grad_y, left, right):
    """A loop over rows that ends one too early leaves the last row of grad_left at zero."""
    return F.pad(grad_y[:-1] @ right.t(), (0, 0, 0, 1)), left.t() @ grad_y
