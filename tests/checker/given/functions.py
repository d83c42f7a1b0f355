"""Functions made of the one part in which they differ from others."""

from collections.abc import Callable
from typing import Any

from torch.autograd import Function

from tests.corpora.wrong_ops.rule import Rule, gradients_of


def of_x(function: Callable[..., Any], gradients: Callable[..., Any]) -> type[Rule]:
    """A Function of one argument x, with the gradients of (grad_y, x) that are given."""
    return gradients_of(lambda x: function(x))(gradients)


def backward_in(base: type[Function]) -> Callable[[Callable[..., Any]], type[Function]]:
    """A decorator that makes a subclass of a Function, with the decorated backward."""

    def subclass(backward: Callable[..., Any]) -> type[Function]:
        return type(base)(backward.__name__, (base,), {"backward": staticmethod(backward)})

    return subclass


def gradients_in(base: type[Rule]) -> Callable[[Callable[..., Any]], type[Rule]]:
    """A decorator that makes a subclass of a Rule, with the decorated gradients."""

    def subclass(gradients: Callable[..., Any]) -> type[Rule]:
        return type(base)(gradients.__name__, (base,), {"gradients": staticmethod(gradients)})

    return subclass
