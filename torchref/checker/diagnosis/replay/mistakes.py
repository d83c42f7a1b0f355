"""What may go wrong in one step of a backward, each mistake as the alteration that makes it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from torchref.checker.causes.factor import proportion
from torchref.checker.diagnosis.replay.steps import Alteration, Grads, Step

Slope = Callable[[Tensor], Tensor]
Pullback = Callable[[Tensor, Tensor], Tensor]  # of a gradient, and a value
MOST_PARTS = 4  # as many as an LSTM has gates
PARTS = [  # two of them exchanged
    tuple({i: j, j: i}.get(k, k) for k in range(count))
    for count in range(2, MOST_PARTS + 1)
    for i, j in combinations(range(count), 2)
]
PRODUCTS = {"mm": (0, "self"), "bmm": (0, "self"), "addmm": (1, "mat1")}  # their first factor
REARRANGED = {"t", "transpose", "permute"}  # steps that move entries and have no slope

# Of the result y of an activation: the slope that is meant, and others that are taken for it.
SLOPES: dict[str, tuple[Slope, dict[str, Slope]]] = {
    "sigmoid": (
        lambda y: y * (1 - y),
        {
            "z (1 − z) of what goes into it": lambda y: torch.logit(y) * (1 - torch.logit(y)),
            "σ′ of what comes out of it": lambda y: torch.sigmoid(y) * (1 - torch.sigmoid(y)),
            "1 − y², that of a tanh": lambda y: 1 - y**2,
        },
    ),
    "tanh": (
        lambda y: 1 - y**2,
        {
            "1 − z² of what goes into it": lambda y: 1 - torch.atanh(y) ** 2,
            "tanh′ of what comes out of it": lambda y: 1 - torch.tanh(y) ** 2,
            "y (1 − y), that of a sigmoid": lambda y: y * (1 - y),
            "1 − y": lambda y: 1 - y,
        },
    ),
}


@dataclass(frozen=True)
class Mistake:
    """A cause, what is said of it, and the alteration of the nodes' gradients that makes it."""

    cause: str
    evidence: str
    alteration: Alteration


def left_out(step: Step, place: int) -> Mistake:
    """The path through one operand takes no part."""

    def alteration(passed: Grads, _: Grads) -> Grads:
        return _replaced(passed, place, _zeros(passed[place]))

    return Mistake("missing-term", f"nothing is passed {step.towards(place)}", alteration)


def mistakes_at(step: Step, place: int) -> Iterator[Mistake]:
    """The mistakes in what a step passes to one of its operands, likelier first."""
    yield negated(step, place)
    yield from _slope_lost(step, place)
    yield from _saved_factor(step, place)
    yield _slope_twice(step, place)
    if len(step.operands) == 1:
        yield from _other_slope(step)
        yield from _without_its_sum(step)
    yield from _operand_transposed(step, place)


def _slope_lost(step: Step, place: int) -> Iterator[Mistake]:
    def alteration(passed: Grads, received: Grads) -> Grads | None:
        part = passed[place]
        whole = _summed(received[0], part)
        if whole is None or part is None:
            return None
        # What is a number times the other is a factor, and has a cause of its own.
        return None if proportion(part, whole) else _replaced(passed, place, whole)

    if step.name in REARRANGED:
        evidence = f"the gradient passes unchanged {step.towards(place)}"
        yield Mistake("transposed", evidence, alteration)
    else:
        evidence = f"the slope is missing {step.towards(place)}: the gradient passes unchanged"
        yield Mistake("missing-local-derivative", evidence, alteration)


def _slope_twice(step: Step, place: int) -> Mistake:
    def alteration(passed: Grads, received: Grads) -> Grads | None:
        whole, part = received[0], passed[place]
        if whole is None or part is None or whole.shape != part.shape:
            return None
        return _replaced(passed, place, torch.where(whole == 0, 0, part * (part / whole)))

    evidence = f"the slope is there once too often {step.towards(place)}"
    return Mistake("missing-local-derivative", evidence, alteration)


def negated(step: Step, place: int) -> Mistake:
    """The path through one operand has the wrong sign."""

    def alteration(passed: Grads, _: Grads) -> Grads | None:
        part = passed[place]
        return None if part is None else _replaced(passed, place, -part)

    return Mistake("sign-flipped", f"the sign is lost {step.towards(place)}", alteration)


def _saved_factor(step: Step, place: int) -> Iterator[Mistake]:
    """An operand or result that backward needs, met once too often or not at all."""
    for name, value in step.saved.items():
        if bool((value == value.reshape(-1)[:1]).all()):
            continue  # a number is a factor, and has a cause of its own
        for what, often in (("missing", -1), ("once too often", 1)):

            def alteration(
                passed: Grads, _: Grads, value: Tensor = value, often: int = often
            ) -> Grads | None:
                part = passed[place]
                if part is None or value.shape != part.shape:
                    return None
                return _replaced(passed, place, part * value**often)

            told = {"self": "its first operand", "other": "its second operand"}.get(name, name)
            evidence = f"{what} {step.towards(place)}: {told}"
            yield Mistake("missing-local-derivative", evidence, alteration)


def _other_slope(step: Step) -> Iterator[Mistake]:
    result = step.saved.get("result")
    if result is None or step.name not in SLOPES:
        return
    slope, others = SLOPES[step.name]
    for told, other in others.items():

        def alteration(passed: Grads, _: Grads, other: Slope = other) -> Grads | None:
            part = passed[0]
            return None if part is None else (part / slope(result) * other(result),)

        evidence = f"the slope of {step.told} is taken to be {told}"
        yield Mistake("missing-local-derivative", evidence, alteration)


def _without_its_sum(step: Step) -> Iterator[Mistake]:
    """A softmax whose outputs are taken to depend each on its own input."""
    y = step.saved.get("result")
    if y is None or step.name not in ("softmax", "log softmax"):
        return
    factors = {"y (1 − y)": y * (1 - y), "y": y}
    if step.name == "log softmax":
        factors = {"1 − exp(y)": 1 - y.exp()}
    for told, factor in factors.items():

        def alteration(_: Grads, received: Grads, factor: Tensor = factor) -> Grads:
            whole = received[0]
            return (None if whole is None else whole * factor,)

        evidence = f"backward of {step.told} is grad_y times {told}, without the sum over the rest"
        yield Mistake("missing-term", evidence, alteration)


def exchanged(step: Step) -> Iterator[Mistake]:
    """What belongs to one operand is passed to another."""
    places = list(step.operands)
    for i, first in enumerate(places):
        for second in places[i + 1 :]:

            def alteration(
                passed: Grads, _: Grads, first: int = first, second: int = second
            ) -> Grads | None:
                a, b = passed[first], passed[second]
                if a is None or b is None or a.shape != b.shape:
                    return None
                return _replaced(_replaced(passed, first, b), second, a)

            evidence = (
                f"the gradients of operands {first + 1} and {second + 1} of {step.told} stand in "
                "each other's place"
            )
            yield Mistake("swapped-arguments", evidence, alteration)


def reordered(step: Step, place: int) -> Iterator[Mistake]:
    """Equal parts, as the gates of a recurrent cell, are passed on in another order."""
    shape = step.shape_towards(place)
    for dim, size in enumerate(shape):
        for order in PARTS:
            if size % len(order) or size == len(order):
                continue

            def alteration(
                passed: Grads, _: Grads, dim: int = dim, order: tuple[int, ...] = order
            ) -> Grads | None:
                part = passed[place]
                if part is None or part.shape != shape:
                    return None
                parts = part.chunk(len(order), dim)
                return _replaced(passed, place, torch.cat([parts[i] for i in order], dim))

            told = ", ".join(str(i + 1) for i in order)
            parts = f"the {len(order)} parts along dimension {dim}"
            evidence = f"{parts} are passed {step.towards(place)} in the order {told}"
            yield Mistake("swapped-arguments", evidence, alteration)


def at_another_value(step: Step, place: int, values: Mapping[str, Tensor]) -> Iterator[Mistake]:
    """The local derivative taken at a value of the same shape that belongs elsewhere."""
    meant, derivative = _at_value(step, place)
    if meant is None or derivative is None:
        return
    for told, value in values.items():
        if value.shape != meant.shape or torch.equal(value, meant):
            continue

        def alteration(passed: Grads, received: Grads, value: Tensor = value) -> Grads | None:
            whole, part = received[0], passed[place]
            if whole is None or part is None:
                return None
            product = _summed(derivative(whole, value), part)
            return None if product is None else _replaced(passed, place, product)

        evidence = f"what is passed {step.towards(place)} is computed with {told} instead"
        yield Mistake("missing-local-derivative", evidence, alteration)


def _at_value(step: Step, place: int) -> tuple[Tensor | None, Pullback | None]:
    """The value at which a step has its derivative, and what it makes of a gradient there."""
    first, name = PRODUCTS.get(step.name, (place, ""))
    if step.name in SLOPES:
        slope, _ = SLOPES[step.name]
        return step.saved.get("result"), lambda grad, y: grad * slope(y)
    if step.name == "mul":
        other = step.saved.get("other" if place == 0 else "self")
        return other, lambda grad, other: grad * other
    if name and place == first:
        return step.saved.get("mat2"), lambda grad, factor: grad @ factor.mT
    if name and place == first + 1:
        return step.saved.get(name), lambda grad, factor: factor.mT @ grad
    return None, None


def _operand_transposed(step: Step, place: int) -> Iterator[Mistake]:
    """A square matrix that enters the product of backward transposed."""
    first, name = PRODUCTS.get(step.name, (place, ""))
    factor = step.saved.get("mat2" if place == first else name)
    if factor is None or factor.dim() < 2 or factor.shape[-1] != factor.shape[-2]:
        return

    def alteration(passed: Grads, received: Grads) -> Grads | None:
        whole = received[0]
        if whole is None or passed[place] is None:
            return None
        product = whole @ factor if place == first else factor @ whole
        return _replaced(passed, place, product)

    other = step.operands.get(2 * first + 1 - place, "the other operand")
    evidence = f"{other} enters the gradient {step.towards(place)} transposed"
    yield Mistake("transposed", evidence, alteration)


def _zeros(x: Tensor | None) -> Tensor | None:
    return None if x is None else torch.zeros_like(x)


def _summed(x: Tensor | None, like: Tensor | None) -> Tensor | None:
    """Summed over what broadcasting repeated, if that leaves the shape of the other."""
    if x is None or like is None or x.shape == like.shape:
        return None if like is None else x
    try:
        return x.sum_to_size(like.shape)
    except RuntimeError:
        return None


def _replaced(grads: Grads, place: int, grad: Tensor | None) -> Grads:
    return (*grads[:place], grad, *grads[place + 1 :])
