"""The steps of a backward: their names, their lines, what they pass gradients to."""

import torch

from tests.checker.given import normal
from tests.corpora.wrong_ops.rule import gradients_of
from torchref.checker.diagnosis.replay.steps import (
    MOST_OF_A_LINE,
    Step,
    altered,
    steps_back,
)
from torchref.checker.execution.raw_returns import custom_functions


def traced(function, *inputs):
    leaves = {name: x.requires_grad_() for name, x in zip("abc", inputs, strict=False)}
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        y = function(*leaves.values())
    return leaves, y, steps_back([y], leaves)


def product(a, b):
    hidden = torch.tanh(a @ b.mT)
    return hidden * hidden.exp()


def test_the_names_and_the_lines() -> None:
    _, _, steps = traced(product, normal(3, 2), normal(4, 2, seed=1))
    told = {step.told: dict(step.operands) for step in steps}
    assert told["mul in `return hidden * hidden.exp()`"] == {0: "tanh", 1: "exp"}
    assert told["mm in `hidden = torch.tanh(a @ b.mT)`"] == {0: "a", 1: "b"}
    assert steps[0].towards(1) == "to exp, operand 2 of mul in `return hidden * hidden.exp()`"
    assert {step.name for step in steps} == {"mul", "exp", "tanh", "mm", "transpose"}


def test_a_long_line_is_cut() -> None:
    _, _, (step, *_) = traced(
        lambda a: a.sin() + a.cos() + a.sin() + a.cos() + a.sin() + a.cos() + a.sin(), normal(2)
    )
    assert len(step.line) == MOST_OF_A_LINE + 1
    assert step.line.endswith("…")


def test_of_a_lambda_its_own_expression_is_the_line() -> None:
    given = {"scale": 2, "f": lambda a: 3 * a.sin(), "times": 4}
    _, _, (mul, sin) = traced(given["f"], normal(3))
    assert mul.line == sin.line == "3 * a.sin()"
    cubed, alone = lambda a: a**3, lambda a: a.exp()
    assert [step.line for step in traced(cubed, normal(3))[2]] == [""]
    assert [step.line for step in traced(alone, normal(3))[2]] == [""]


def test_what_torch_computes_alone_has_no_line() -> None:
    x = normal(3).requires_grad_()
    assert [step.told for step in steps_back([x.sin()], {"x": x})] == ["sin"]


@gradients_of(lambda a: 2 * a)
def Scaled(grad_y, a):
    return 2 * grad_y


def test_a_function_is_called_by_its_name_and_found() -> None:
    _, y, steps = traced(lambda a: Scaled.apply(Scaled.apply(a)).sin(), normal(3))
    assert [step.name for step in steps] == ["sin", "Scaled", "Scaled"]
    assert custom_functions([y]) == {Scaled}


def test_alterations_last_as_long_as_they_should() -> None:
    leaves, y, steps = traced(product, normal(3, 2), normal(4, 2, seed=1))
    (tanh,) = (step for step in steps if step.name == "tanh")

    def gradient() -> torch.Tensor:
        return torch.autograd.grad(y, leaves["a"], torch.ones_like(y), retain_graph=True)[0]

    before = gradient()
    with altered({tanh.node: lambda passed, _: tuple(-g for g in passed)}):
        assert torch.equal(gradient(), -before)
    assert torch.equal(gradient(), before)


def test_what_a_step_saves() -> None:
    _, y, steps = traced(product, normal(3, 2), normal(4, 2, seed=1))
    kept: dict[str, Step] = {step.name: step for step in steps}
    assert torch.equal(kept["mul"].saved["self"] * kept["mul"].saved["other"], y.detach())
