"""The kinds of wrong gradient that are planted, and what a test has to do to see each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

Backward = Callable[..., Any]  # of the grad_outputs alone
Plan = tuple[str, int | None, int | None]  # the kind, the argument and the dimension it is about
Change = Callable[[Backward, tuple[Any, ...], int, int], Any]


@dataclass(frozen=True)
class Kind:
    """One mistake: how a backward that makes it comes to what it returns."""

    change: Change
    to_see_it: str  # `{argument}` stands for the name of the argument
    calls_twice: bool = False  # the right backward, to make the wrong one


def gradients_in(returned: Any) -> tuple[Any, ...]:
    """What a backward returned, one for each argument."""
    return tuple(returned) if isinstance(returned, tuple | list) else (returned,)


def with_gradient(returned: Any, argument: int, gradient: Any) -> Any:
    """What a backward returned, with another gradient for one argument."""
    if not isinstance(returned, tuple | list):
        return gradient
    return tuple(gradient if n == argument else each for n, each in enumerate(returned))


def is_gradient(given: Any) -> bool:
    is_number = isinstance(given, Tensor) and (given.is_floating_point() or given.is_complex())
    return is_number and given.numel() > 0


def on_the_gradient(change: Callable[[Tensor], Tensor | None]) -> Change:
    """The gradient of one argument changed, after the right backward."""

    def changed(backward: Backward, grads: tuple[Any, ...], argument: int, _dim: int) -> Any:
        returned = backward(*grads)
        gradients = gradients_in(returned)
        if argument >= len(gradients) or not is_gradient(gradients[argument]):
            return returned
        try:
            return with_gradient(returned, argument, change(gradients[argument]))
        except Exception:  # of the change: it must not be what a test stumbles over
            return returned

    return changed


def on_the_cotangents(change: Callable[[Tensor, int], Tensor]) -> Change:
    """The right backward of other grad_outputs, as far as one argument is concerned."""

    def changed(backward: Backward, grads: tuple[Any, ...], argument: int, dim: int) -> Any:
        try:
            others = [change(each, dim) if is_gradient(each) else each for each in grads]
            wrong = backward(*others)
        except Exception:  # it takes no other: this call stays right
            return backward(*grads)
        if sum(is_gradient(each) for each in gradients_in(wrong)) < 2:
            return wrong
        gradients = gradients_in(wrong)
        if argument >= len(gradients):
            return backward(*grads)
        return with_gradient(backward(*grads), argument, gradients[argument])

    return changed


def overwrite(backward: Backward, grads: tuple[Any, ...], _argument: int, _dim: int) -> Any:
    """The right gradients, and afterwards grad_output is another, as a careless kernel leaves it"""
    held = [each for each in grads if is_gradient(each) and _can_be_written(each)]
    memory = {each.untyped_storage().data_ptr() for each in held}
    returned = backward(*grads)
    for n, each in enumerate(gradients_in(returned)):
        if is_gradient(each) and each.untyped_storage().data_ptr() in memory:
            returned = with_gradient(returned, n, each.clone())
    for each in held:
        each.data.add_(1)  # .data, since a kernel tells autograd nothing of what it writes
    return returned


def _can_be_written(tensor: Tensor) -> bool:
    apart = zip(tensor.shape, tensor.stride(), strict=True)
    return all(stride != 0 or size < 2 for size, stride in apart)  # an expanded one cannot


def transposed(gradient: Tensor) -> Tensor:
    """Its entries in the order of the transposed; where that is the same, in reverse order."""
    if gradient.ndim > 1 and min(gradient.shape[-2:]) > 1:
        return gradient.mT.reshape(gradient.shape)
    return gradient.flatten().flip(0).reshape(gradient.shape)


def with_wrong_element(gradient: Tensor) -> Tensor:
    """The last entry is off by what the entries typically are, or by 1 where all are 0."""
    size = gradient.detach().abs().mean()
    off = torch.where(size == 0, torch.ones_like(size), size)
    place = torch.arange(gradient.numel(), device=gradient.device) == gradient.numel() - 1
    return gradient + off * place.reshape(gradient.shape)


def only_first(cotangent: Tensor, dim: int) -> Tensor:
    """Zero but for the first slice along a dimension; whole, where there are no more."""
    if cotangent.ndim <= dim or cotangent.shape[dim] < 2:
        return cotangent
    place = torch.arange(cotangent.shape[dim], device=cotangent.device) == 0
    rest = [1] * (cotangent.ndim - dim - 1)
    return torch.where(place.reshape(-1, *rest), cotangent, torch.zeros_like(cotangent))


COMPARE = "compare the gradient of {argument} with one that is known to be right"
ONES, DROPPED, OVERWRITTEN = "ones in place of grad_output", "dropped reduction", "overwritten"
SCALED, MISSING = "scaled by 1.01", "missing"
KINDS: dict[str, Kind] = {
    SCALED: Kind(
        on_the_gradient(lambda gradient: gradient * 1.01),
        "compare the gradient of {argument} closely: an error of 1 % has to show",
    ),
    "sign": Kind(on_the_gradient(lambda gradient: -gradient), COMPARE),
    "zero": Kind(on_the_gradient(torch.zeros_like), COMPARE),
    MISSING: Kind(on_the_gradient(lambda _: None), COMPARE),
    ONES: Kind(
        on_the_cotangents(lambda cotangent, _: torch.ones_like(cotangent)),
        "go back from a random cotangent, y.backward(torch.randn_like(y)), not from y.sum()",
        calls_twice=True,
    ),
    "transposed": Kind(
        on_the_gradient(transposed),
        "compare the gradient of {argument} entry by entry, at random inputs and cotangents",
    ),
    DROPPED: Kind(
        on_the_cotangents(only_first),
        "compare the gradient of {argument} for a batch of several, at a random cotangent",
        calls_twice=True,
    ),
    "one wrong element": Kind(
        on_the_gradient(with_wrong_element),
        "compare every entry of the gradient of {argument}, up to the last",
    ),
    OVERWRITTEN: Kind(
        overwrite,
        "keep a copy of the cotangent, and compare it with the cotangent after the backward",
    ),
}


def wrong_backward(plan: Plan) -> Callable[..., Any]:
    """What to plant: of the right backward, its ctx and the grad_outputs."""
    name, argument, dim = plan
    change = KINDS[name].change

    def around(backward: Backward, ctx: Any, *grads: Any) -> Any:
        return change(partial(backward, ctx), grads, argument or 0, dim or 0)

    return around


def right_backward(calls: int) -> Callable[..., Any]:
    """What to plant to see which tests mind being watched: the right backward, called as often."""

    def around(backward: Backward, ctx: Any, *grads: Any) -> Any:
        for _ in range(calls - 1):
            backward(ctx, *grads)
        return backward(ctx, *grads)

    return around
