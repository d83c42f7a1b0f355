"""Lecture 004: the bias folded into the matrix, and the gradient as one vector.

    h = W⁽¹⁾ᵀ[x; 1],  ŷ = σ(W⁽²⁾[σ(W⁽¹⁾[x; 1]); 1]),  ∇E = (∂E/∂Wᵢⱼ⁽ˡ⁾)

Both networks, folded and unfolded, learn the exclusive or from the same start by the sweep alone,
without autograd, and stay the same network; torch's gradients do so beside them. Then the folded
network is held against the unfolded one, entry for entry, and ∇E against autograd.

    python -m experiments.matrix_form
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

import torchref.nn as nn
from experiments.lecture.statements import Statements
from torchref.backprop import sweep
from torchref.explainer.lectures import LECTURES, numbers
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    BESIDE_TORCH,
    Examples,
    Gradients,
    Settings,
    Task,
    run_experiment,
    train,
)

LECTURE = LECTURES["matrix-form"]
ONE = numbers((1.0,))
EXCLUSIVE_OR = Examples(
    torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    torch.tensor([[0.0], [1.0], [1.0], [0.0]]),
)


def unfolded(network: nn.Sequential) -> nn.Sequential:
    """The same network with weights and biases apart."""
    layers = {
        name: layer.unfolded() if isinstance(layer, nn.HomogeneousLinear) else layer
        for name, layer in network.named_children()
    }
    return nn.Sequential(OrderedDict(layers))


def gradient_vector(gradients: Iterable[Tensor]) -> Tensor:
    """∇E: every ∂E/∂Wᵢⱼ⁽ˡ⁾, one after the other."""
    return torch.cat([gradient.flatten() for gradient in gradients])


def statements(seed: int) -> Statements:
    torch.manual_seed(seed)
    network, stated = LECTURE.network(), Statements()
    x, target = numbers(LECTURE.x)[None], numbers(LECTURE.target)[None]
    first, second = network.get_parameter("linear1.weight"), network.get_parameter("linear2.weight")
    h = first @ torch.cat((x[0], ONE))
    y_hat = torch.sigmoid(second @ torch.cat((torch.sigmoid(h), ONE)))
    stated.equal("ŷ = σ(W⁽²⁾[σ(W⁽¹⁾[x; 1]); 1])", y_hat, network(x)[0])
    apart = unfolded(network)
    stated.equal("ŷ of the unfolded network", y_hat, apart(x)[0])

    folded = sweep(network, LECTURE.loss, x, target).gradients
    value = LECTURE.loss(network(x), target)
    autograd = torch.autograd.grad(value, [network.get_parameter(name) for name in folded])
    nabla = gradient_vector(folded.values())
    stated.equal("∇E against autograd", nabla, gradient_vector(autograd))
    plain = sweep(apart, LECTURE.loss, x, target).gradients
    for name, gradient in folded.items():
        layer = name.removesuffix(".weight")
        columns = torch.column_stack((plain[name], plain[f"{layer}.bias"]))
        stated.equal(f"∇E of {layer}, entry for entry of the unfolded", gradient, columns)

    by_symbol = {each.symbol: each.value for each in LECTURE.explain(seed=seed).factors}
    s = torch.sigmoid(h[0])
    collapsed = by_symbol["∂E/∂ŷ"] * by_symbol["∂ŷ/∂h"]
    stated.equal("∂E/∂ŷ · ∂ŷ/∂h = ŷ − y", collapsed, y_hat - target[0])
    inner = by_symbol["∂h/∂h₁"]
    stated.equal("∂h/∂h₁ = W⁽²⁾₁₁ σ(h₁)(1 − σ(h₁))", inner, second[0, 0] * s * (1 - s))
    stated.equal("∂h₁/∂W⁽¹⁾₁₁ = x₁", by_symbol["∂h₁/∂W⁽¹⁾₁₁"], x[0, 0])
    product = (y_hat - target[0]) * inner * x[0, 0]
    stated.equal("∂E/∂W⁽¹⁾₁₁, the product of four", product, folded["linear1.weight"][0, 0])
    return stated


def main(settings: Settings) -> None:
    """Lecture 004: the bias folded into the matrix, and the gradient as one vector."""
    found = LECTURE.explain(seed=settings.seed)
    print(found)
    torch.manual_seed(settings.seed)
    network = LECTURE.network()
    stated, ends = statements(settings.seed), {}
    for name, each in {"folded": network, "unfolded": unfolded(network)}.items():
        outcome = train(
            Task(f"matrix_form/{name}", each, nn.BCELoss(), EXCLUSIVE_OR),
            settings,
            begin_missing=name == "unfolded",
        )
        if outcome.folder:
            log_explanations(outcome.folder, {"W11": found})
        for gradients, scalars in outcome.scalars.items():
            ends[f"{name}, {gradients}"] = scalars["loss/train"]
        model = outcome.models[settings.gradients[0]]
        answers = model(EXCLUSIVE_OR.x.to(next(model.parameters())))
        told = ", ".join(f"{answer:.3f}" for answer in answers.flatten().tolist())
        print(f"After {outcome.epochs} epochs the exclusive or of 00, 01, 10, 11 is {told}.")
    first, *others = ends
    for other in others:
        # Rounding grows from step to step; a wrong gradient would part them at once.
        stated.equal(f"end alike: {first} and {other}", ends[first], ends[other], 1e-6)
    stated.show()


if __name__ == "__main__":
    both = [Gradients.SWEEP, Gradients.TORCH]
    run_experiment(main, replace(BESIDE_TORCH, gradients=both, epochs=3000, lr=2.0))
