"""A Function's own forward on autograd's tape: where it is written in torch, a reference too."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.autograd import Function

from torchref.checker.execution.raw_returns import custom_functions
from torchref.checker.execution.run import Run
from torchref.checker.execution.subject import Subject


class Notepad:
    """Stands for ctx in a forward whose backward is never asked: it takes whatever is kept."""

    needs_input_grad: tuple[bool, ...]

    def __init__(self, args: tuple[Any, ...]) -> None:
        self.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)

    def save_for_backward(self, *_: Any) -> None:
        """Nothing is asked for again."""

    save_for_forward = mark_dirty = mark_non_differentiable = save_for_backward
    set_materialize_grads = save_for_backward


def own_forward(run: Run) -> Subject | None:
    """The candidate without any backward by hand: what autograd itself makes of its forward.

    None where there is no Function in it.
    """
    subject = run.candidate
    if subject.function is not None:
        plain = plain_call(subject.function)
        return replace(subject, call=lambda args, kwargs, _: plain(*args, **kwargs), function=None)
    functions = custom_functions(run.tape.outputs)
    if not functions:
        return None

    def call(*given: Any) -> Any:
        with _applied_plainly(functions):
            return subject.call(*given)

    return replace(subject, call=call)


def plain_call(function: type[Function]) -> Callable[..., Any]:
    """The forward of a Function as an ordinary function."""
    takes_ctx = function.setup_context is Function.setup_context

    def call(*args: Any, **kwargs: Any) -> Any:
        given = (Notepad(args), *args) if takes_ctx else args
        return function.forward(*given, **kwargs)

    return call


@contextmanager
def _applied_plainly(functions: Collection[type[Function]]) -> Iterator[None]:
    """While it lasts, `apply` of these is their forward alone."""
    with ExitStack() as stack:
        for function in functions:
            if "apply" not in vars(function):
                setattr(function, "apply", staticmethod(plain_call(function)))  # noqa: B010
                stack.callback(delattr, function, "apply")
        yield
