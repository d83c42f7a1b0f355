"""A Function's own forward on autograd's tape: where it is written in torch, a reference too."""

from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.autograd import Function

from torchref.checker.subject import Subject


class Notepad:
    """Stands for ctx in a forward whose backward is never asked: it takes whatever is kept."""

    needs_input_grad: tuple[bool, ...]

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)

    def save_for_backward(self, *_: Any) -> None:
        """Nothing is asked for again."""

    save_for_forward = mark_dirty = mark_non_differentiable = save_for_backward
    set_materialize_grads = save_for_backward


def own_forward(subject: Subject) -> Subject | None:
    """The forward of a Function as an ordinary function; None for anything else."""
    function = subject.function
    if function is None:
        return None
    takes_ctx = function.setup_context is Function.setup_context

    def call(args: tuple[Any, ...], kwargs: dict[str, Any], _: dict[str, Tensor]) -> Any:
        given = (Notepad(args), *args) if takes_ctx else args
        return function.forward(*given, **kwargs)

    return replace(subject, call=call, function=None)
