"""Lecture 004: the bias folded into the matrix, and the gradient as one vector.

    h = W⁽¹⁾ᵀ[x; 1],  ŷ = σ(W⁽²⁾[σ(W⁽¹⁾[x; 1]); 1]),  ∇E = (∂E/∂Wᵢⱼ⁽ˡ⁾)

The folded network is held against the unfolded one, entry for entry, and ∇E against autograd. Then
both learn the exclusive or from the same start by the sweep alone, without autograd, and stay the
same network; torch's own layers under autograd learn it beside them.

    python -m experiments.matrix_form
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter

import torchref.nn as nn
from torchref.backprop import Backprop, sweep
from torchref.explainer.lectures import LECTURES
from torchref.explainer.statements import Statements
from torchref.explainer.tensorboard import log_explanations
from torchref.training import (
    Settings,
    recorded_run,
    resolve_device,
    run_experiment,
    torch_twin,
)

LECTURE = LECTURES["matrix-form"]
Step = Callable[[Tensor, Tensor], Tensor]
X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
EXCLUSIVE_OR = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)


def by_autograd(model: nn.Module) -> Step:
    """The same step by torch alone."""

    def step(x: Tensor, target: Tensor) -> Tensor:
        model.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy(model(x), target)
        loss.backward()
        return loss.detach()

    return step


def unfolded(network: nn.Sequential) -> nn.SigmoidNetwork:
    """The same network with weights and biases apart."""
    matrices = [layer.weight for layer in network if isinstance(layer, nn.HomogeneousLinear)]
    sizes = [matrices[0].shape[1] - 1, *(matrix.shape[0] for matrix in matrices)]
    apart = nn.SigmoidNetwork(sizes).to(matrices[0])
    with torch.no_grad():
        for number, matrix in enumerate(matrices, start=1):
            apart.get_parameter(f"linear{number}.weight").copy_(matrix[:, :-1])
            apart.get_parameter(f"linear{number}.bias").copy_(matrix[:, -1])
    return apart


def gradient_vector(gradients: dict[str, Tensor]) -> Tensor:
    """∇E: every ∂E/∂Wᵢⱼ⁽ˡ⁾, one after the other."""
    return torch.cat([gradient.flatten() for gradient in gradients.values()])


def statements(seed: int) -> Statements:
    torch.manual_seed(seed)
    network, stated = LECTURE.network(), Statements()
    x = torch.tensor([LECTURE.x], dtype=torch.float64)
    target = torch.tensor([LECTURE.target], dtype=torch.float64)
    first, second = network.get_parameter("linear1.weight"), network.get_parameter("linear2.weight")
    one = torch.ones(1, dtype=torch.float64)
    h = first @ torch.cat((x[0], one))
    y_hat = torch.sigmoid(second @ torch.cat((torch.sigmoid(h), one)))
    stated.equal("ŷ = σ(W⁽²⁾[σ(W⁽¹⁾[x; 1]); 1])", y_hat, network(x)[0])
    apart = unfolded(network)
    stated.equal("ŷ of the unfolded network", y_hat, apart(x)[0])

    folded = dict(sorted(sweep(network, LECTURE.loss, x, target).gradients.items()))
    value = LECTURE.loss(network(x), target)
    autograd = torch.autograd.grad(value, [network.get_parameter(name) for name in folded])
    nabla = gradient_vector(folded)
    stated.equal("∇E against autograd", nabla, torch.cat([g.flatten() for g in autograd]))
    plain = sweep(apart, LECTURE.loss, x, target).gradients
    for name, gradient in folded.items():
        layer = name.removesuffix(".weight")
        columns = torch.column_stack((plain[name], plain[f"{layer}.bias"]))
        stated.equal(f"∇E of {layer}, entry for entry of the unfolded", gradient, columns)

    found = LECTURE.explain(seed=seed)
    by_symbol = {factor.symbol: factor.value for factor in found.factors}
    s = torch.sigmoid(h[0])
    collapsed = by_symbol["∂E/∂ŷ"] * by_symbol["∂ŷ/∂h"]
    stated.equal("∂E/∂ŷ · ∂ŷ/∂h = ŷ − y", collapsed, y_hat - target[0])
    inner = by_symbol["∂h/∂σ(h₁)"] * by_symbol["∂σ(h₁)/∂h₁"]
    stated.equal("∂h/∂h₁ = W⁽²⁾₁₁ σ(h₁)(1 − σ(h₁))", inner, second[0, 0] * s * (1 - s))
    stated.equal("∂h₁/∂W⁽¹⁾₁₁ = x₁", by_symbol["∂h₁/∂W⁽¹⁾₁₁"], x[0, 0])
    product = (y_hat - target[0]) * inner * x[0, 0]
    stated.equal("∂E/∂W⁽¹⁾₁₁, the product of four", product, folded["linear1.weight"][0, 0])
    return stated


def main(settings: Settings) -> None:
    """Lecture 004: the bias folded into the matrix, and the gradient as one vector."""
    device = resolve_device(settings.device)
    with recorded_run(settings, "matrix_form", settings.short) as folder:
        found = LECTURE.explain(seed=settings.seed)
        print(found)
        log_explanations(folder, {"W11": found})

        torch.manual_seed(settings.seed)
        network = LECTURE.network().to(device)
        apart = unfolded(network)
        both: dict[str, nn.Module] = {"folded": network, "unfolded": apart}
        steps: dict[str, Step] = {
            "folded": Backprop(network, nn.BCELoss()),
            "unfolded": Backprop(apart, nn.BCELoss()),
        }
        both["torch"] = torch_twin(apart)
        steps["torch"] = by_autograd(both["torch"])
        optimisers = [torch.optim.SGD(each.parameters(), lr=settings.lr) for each in both.values()]
        x, target = X.to(device), EXCLUSIVE_OR.to(device)
        writers = {name: SummaryWriter(str(folder / name), purge_step=0) for name in both}
        every = max(1, settings.epochs // 500)
        for epoch in range(settings.epochs + 1):
            losses = {name: step(x, target).item() for name, step in steps.items()}
            if epoch % every == 0:
                for name, writer in writers.items():
                    writer.add_scalar("loss/train", losses[name], epoch)
                    for layer, parameter in both[name].named_parameters():
                        assert parameter.grad is not None
                        writer.add_scalar(f"gradient_norm/{layer}", parameter.grad.norm(), epoch)
            for optimiser in optimisers:
                optimiser.step()
        for writer in writers.values():
            writer.close()
        answers = ", ".join(f"{answer:.3f}" for answer in network(x).flatten().tolist())
        print(f"After {settings.epochs} epochs the exclusive or of 00, 01, 10, 11 is {answers}.")
        stated = statements(settings.seed)
        # Rounding grows from step to step; a wrong gradient would part them at once.
        stated.equal("the loss of both after training", losses["folded"], losses["unfolded"], 1e-6)
        stated.equal("and with torch's gradients", losses["torch"], losses["unfolded"], 1e-6)
        stated.show()


if __name__ == "__main__":
    run_experiment(main, Settings(epochs=3000, lr=2.0))
