"""What the callbacks share, in a loop of torch's own."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Linear, Module

from tests.training.integrations.squares import Square, SquareWithoutTwo, network
from torchref.errors import InputError
from torchref.training.integrations.watch import Watch

Scalars = dict[int, dict[str, float]]


def watch(every: int = 1, check_every: int = 0, memory: int = 2**28, **options: Any) -> Watch:
    return Watch(every, check_every, options.pop("references", {}), {}, memory, options)


def attached(
    model: Module, *optimizers: torch.optim.Optimizer, steps: int = 0, **options: Any
) -> Scalars:
    logged: Scalars = {}

    def log(step: int, values: dict[str, float]) -> None:
        logged.setdefault(step, {}).update(values)

    watch(**options).attach(model, optimizers, steps, log)
    return logged


@pytest.mark.parametrize("fused", [False, True])
def test_the_scale_of_the_loss_is_in_no_norm(fused: bool) -> None:
    model = Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    logged = attached(model, optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    loss = model(torch.ones(4, 3)).sum()
    gradient = torch.autograd.grad(loss, model.weight, retain_graph=True)[0]
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    assert logged[1]["gradient_norm/weight"] == pytest.approx(gradient.norm().item())


def test_a_step_that_runs_its_own_backward_has_the_new_gradients() -> None:
    model = Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    logged = attached(model, optimizer)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model(torch.ones(4, 3)).sum()
        loss.backward()
        return loss

    before = model.weight.detach().clone()
    optimizer.step(closure)
    assert logged[1]["gradient_norm/weight"] == pytest.approx(model.weight.grad.norm().item())
    ratio = 0.1 * model.weight.grad.norm() / before.norm()
    assert logged[1]["update_ratio/weight"] == pytest.approx(ratio.item(), rel=1e-5)


def test_each_optimiser_has_its_own_parameters_and_steps_and_what_is_frozen_none() -> None:
    model = torch.nn.Sequential(Linear(3, 2), Linear(2, 1), torch.nn.Embedding(4, 2, sparse=True))
    model[0].bias.requires_grad_(False)
    one, other, third = (torch.optim.SGD(part.parameters(), lr=0.1) for part in model)
    logged = attached(model, one, other, third, every=2, steps=10)
    for optimizer in (one, other, one, third, other, third):
        loss = model[1](model[0](torch.ones(1, 3)) + model[2](torch.tensor([1, 1]))).sum()
        model.zero_grad()
        loss.backward()
        optimizer.step()
    assert logged.keys() == {12}
    assert logged[12].keys() == {
        f"{tag}/{name}"
        for tag in ("gradient_norm", "update_ratio")
        for name in ("0.weight", "1.weight", "1.bias", "2.weight")
    }


def checked(function: Any, x: Tensor, **options: Any) -> tuple[float, str]:
    """The verdict on one batch, and the text."""
    model = network(function)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    values: list[float] = []
    texts: list[str] = [""]
    its = watch(check_every=3, **options)
    its.attach(model, [optimizer], 6, lambda _, __: None)
    its.begin_batch()
    function.apply(x).sum().backward()
    its.end_batch(
        lambda step, scalars: values.extend([step, *scalars.values()]),
        lambda _, text: texts.append(text),
    )
    its.begin_batch()  # no second time before the next step
    assert its.audit is None
    step, score = values
    assert step == 6
    return score, texts[-1]


class Of16BitsOnly(Square):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.dtype != torch.bfloat16:
            raise TypeError("bfloat16 only")
        return Square.forward(ctx, x)


class CastsTo16Bits(Square):
    @staticmethod
    def backward(ctx: Any, grad_y: Tensor) -> Tensor:
        return Square.backward(ctx, grad_y).bfloat16()


class ComputesIn16Bits(Square):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.bfloat16().square().to(x.dtype)


@pytest.mark.parametrize(
    ("function", "score"),
    [
        (Square, 1.0),
        (SquareWithoutTwo, -1.0),
        (Of16BitsOnly, 0.0),
        (CastsTo16Bits, 0.0),
        (ComputesIn16Bits, 0.0),
    ],
)
def test_what_16_bits_cannot_tell_is_asked_in_float64_where_that_is_taken(
    function: Any, score: float
) -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 5).bfloat16().requires_grad_()
    got, text = checked(function, x)
    assert got == score, text
    assert ("checked in float64" in text) == (score != 0)


def test_references_and_memory_are_those_of_the_audit() -> None:
    x = torch.randn(4, 5, requires_grad=True)
    references = {"SquareWithoutTwo": lambda x: x * x.detach()}
    assert checked(SquareWithoutTwo, x)[0] == -1.0
    assert checked(SquareWithoutTwo, x, references=references)[0] == -1.0  # another forward's
    score, text = checked(Square, x, memory=8)
    assert score == 0.0
    assert "larger than memory= leaves room for" in text


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "50", None])
def test_how_often_must_be_a_number_of_steps(wrong: Any) -> None:
    for name in ("every", "check_every"):
        with pytest.raises(InputError, match=f"^{name} must be a whole number of steps, or 0 for"):
            watch(**{name: wrong})


def test_0_is_never() -> None:
    model = network(Square)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    logged = attached(model, optimizer, every=0)
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    assert logged == {}
    its = watch(check_every=0)
    its.begin_batch()
    assert its.audit is None


def test_detached_it_sees_no_more() -> None:
    model = Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    logged: Scalars = {}
    its = watch(check_every=1)
    its.attach(model, [optimizer], 0, logged.__setitem__)
    its.begin_batch()
    assert its.audit is not None
    its.detach()
    assert its.audit is None
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    assert logged == {}
