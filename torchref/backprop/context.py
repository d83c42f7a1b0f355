"""What an op sees of autograd when there is no autograd."""

from torch import Tensor


class Context:
    """Takes what `setup_context` saves and gives it to `backward`, and nothing else.

    An op writes further attributes as it likes, as on autograd's own context.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        self.saved_tensors = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """The reverse sweep has no forward mode: the tangents' copy is not kept."""
