"""Lecture 002: the cost as a curve, as a surface, and its slope; and the Jacobian.

Four figures, in TensorBoard and as PNG: the cost against one weight with its slope at w₀ and the
step downhill; a curve with several minima, each found from a start of its own; the cost over two
weights with the path of the descent; and the Jacobian of all outputs by all parameters. What the
lecture states of them is computed by hand and held against torch.

    python -m experiments.cost_surface
"""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

import torchref.nn as nn
from experiments.iris import flowers
from torchref.backprop import Backprop, sweep
from torchref.explainer.lectures import LECTURES
from torchref.explainer.statements import Statements
from torchref.explainer.tensorboard import log_explanations, log_figures
from torchref.training import (
    Dtype,
    Gradients,
    Settings,
    Task,
    accuracy,
    run_experiment,
    train,
)

LECTURE = LECTURES["cost-surface"]
COST = nn.SquaredError("sum")
STARTS = (-6.0, -4.0, -1.5, -0.5, 0.5, 1.5, 4.0, 6.0)


def float64(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


class Curve:
    """The cost of a network against one of its weights, the others as they are."""

    def __init__(self, network: nn.Module, name: str, x: Tensor, target: Tensor) -> None:
        self.weight = network.get_parameter(name)
        network.requires_grad_(False)
        self.weight.requires_grad_(True)
        self._step, self._x, self._target = Backprop(network, COST), x, target

    def at(self, w: float) -> tuple[float, float]:
        """C(w) and dC/dw, by the sweep."""
        with torch.no_grad():
            self.weight.flatten()[0] = w
        cost = self._step(self._x, self._target).item()
        assert self.weight.grad is not None
        return cost, self.weight.grad.flatten()[0].item()

    def descend(self, w: float, rate: float, steps: int) -> list[float]:
        path = [w]
        for _ in range(steps):
            path.append(path[-1] - rate * self.at(path[-1])[1])
        return path


def plain_curve() -> Curve:
    """The smallest case: two nodes, a⁽¹⁾ = σ(w a⁽⁰⁾ + b), and three examples of C = (a − y)²."""
    network = nn.SigmoidNetwork((1, 1)).double()
    with torch.no_grad():
        network.get_parameter("linear1.bias").fill_(-0.5)
    return Curve(
        network, "linear1.weight", float64(0.5, 1.0, 2.0)[:, None], float64(0.4, 0.6, 0.8)[:, None]
    )


def wiggly_curve() -> Curve:
    """A network whose answer swings to and fro as its first weight grows: several minima."""
    network = nn.SigmoidNetwork((1, 1, 6, 1)).double()
    steps = torch.arange(6, dtype=torch.float64)
    values = {
        "linear1.weight": float64(0.0)[:, None],
        "linear1.bias": float64(0.0),
        "linear2.weight": float64(25.0).expand(6, 1),
        "linear2.bias": -25 * (0.1 + 0.16 * steps),
        "linear3.weight": float64(6, -5, 3, -4, 6, -6)[None],
        "linear3.bias": float64(-2.0),
    }
    with torch.no_grad():
        for name, value in values.items():
            network.get_parameter(name).copy_(value)
    return Curve(network, "linear1.weight", float64(0.6)[:, None], float64(0.95)[:, None])


def minima(curve: Curve) -> dict[float, float]:
    """For each start the minimum that the descent from it ends in."""
    return {start: curve.descend(start, 2.0, 3000)[-1] for start in STARTS}


def surface() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cost over two weights of a chain, and the path of a descent: w₁, w₂, C and the path."""
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((1, 1, 1)).double()
    x, target = float64(-2.0, -0.5, 1.0, 2.0)[:, None], float64(0.8, 0.6, 0.3, 0.1)[:, None]
    for name in ("linear1.bias", "linear2.bias"):
        network.get_parameter(name).requires_grad_(False)
    weights = [network.get_parameter(f"linear{level}.weight") for level in (1, 2)]
    step, path = Backprop(network, COST), []
    with torch.no_grad():
        for weight, start in zip(weights, (0.0, 6.0), strict=True):
            weight.fill_(start)
        for _ in range(600):
            path.append([weight.item() for weight in weights])
            step(x, target)
            for weight in weights:
                assert weight.grad is not None
                weight.sub_(0.5 * weight.grad)
        axis = torch.linspace(-8, 8, 61, dtype=torch.float64)
        costs = torch.empty(61, 61, dtype=torch.float64)
        for row, w_2 in enumerate(axis):
            for column, w_1 in enumerate(axis):
                weights[0].fill_(w_1)
                weights[1].fill_(w_2)
                costs[row, column] = COST(network(x), target)
    return axis, axis, costs, torch.tensor(path, dtype=torch.float64)


def jacobian_by_hand(network: nn.Module, x: Tensor) -> Tensor:
    """∂a⁽²⁾ₖ/∂θ for every output k and parameter θ, by the chain rule written out.

    With s = σ′(z): ∂a⁽²⁾ₖ/∂w⁽²⁾ⱼₖ = s⁽²⁾ₖ a⁽¹⁾ⱼ, and ∂a⁽²⁾ₖ/∂w⁽¹⁾ᵢⱼ = s⁽²⁾ₖ w⁽²⁾ⱼₖ s⁽¹⁾ⱼ xᵢ.
    """
    w_1, b_1, w_2, b_2 = (parameter.detach() for parameter in network.parameters())
    a_1 = torch.sigmoid(w_1 @ x + b_1)
    a_2 = torch.sigmoid(w_2 @ a_1 + b_2)
    s_1, s_2 = a_1 * (1 - a_1), torch.diag(a_2 * (1 - a_2))
    by_z_1 = s_2 @ w_2 * s_1
    by_w_1 = torch.einsum("kj,i->kji", by_z_1, x)
    by_w_2 = torch.einsum("kj,i->kji", s_2, a_1)
    return torch.cat([by_w_1.flatten(1), by_z_1, by_w_2.flatten(1), s_2], dim=1)


def jacobian_by_jacrev(network: nn.Module, x: Tensor) -> Tensor:
    def outputs(parameters: dict[str, Tensor]) -> Tensor:
        y: Tensor = torch.func.functional_call(network, parameters, (x,))
        return y

    parameters = {name: p.detach() for name, p in network.named_parameters()}
    blocks = torch.func.jacrev(outputs)(parameters)
    return torch.cat([block.flatten(1) for block in blocks.values()], dim=1)


def statements(seed: int, curve: Curve, found: dict[float, float]) -> Statements:
    stated = Statements()
    torch.manual_seed(seed)
    network, x = LECTURE.network(), float64(*LECTURE.x)
    counts = [p.numel() for p in network.parameters()]
    stated.true("4-3-2 has 18 weights", counts[0] + counts[2] == 18)
    stated.true("and 5 biases", counts[1] + counts[3] == 5)
    by_hand, by_jacrev = jacobian_by_hand(network, x), jacobian_by_jacrev(network, x)
    stated.equal("the Jacobian, 2 × 23, by hand and by jacrev", by_hand, by_jacrev)
    target = float64(*LECTURE.target)
    swept = sweep(network, COST, x[None], target[None])
    gradient = 2 * (network(x) - target) @ by_hand
    stated.equal(
        "∇C = 2 (a − y)ᵀ times the Jacobian",
        gradient,
        torch.cat([g.flatten() for _, g in sorted_like(network, swept.gradients)]),
    )
    squares = sum((a - y) ** 2 for a, y in zip(network(x).tolist(), LECTURE.target, strict=True))
    stated.equal("C = Σ (aᵢ − yᵢ)²", swept.loss, squares)

    w, b, a_0, y = 0.7, -0.2, 0.9, 0.4
    node = nn.SigmoidNetwork((1, 1)).double()
    with torch.no_grad():
        node.get_parameter("linear1.weight").fill_(w)
        node.get_parameter("linear1.bias").fill_(b)
    gradients = sweep(node, COST, float64(a_0)[None], float64(y)[None]).gradients
    z = torch.tensor(w * a_0 + b, dtype=torch.float64)
    a = torch.sigmoid(z)
    c_by_a, a_by_z = 2 * (a - y), a * (1 - a)
    a_by_b = torch.exp(-z) / (1 + torch.exp(-z)) ** 2  # 1 / (1 + e⁻⁽ʷᵃ⁺ᵇ⁾), derived at one go
    by_w, by_b = gradients["linear1.weight"], gradients["linear1.bias"]
    stated.equal("∂C/∂w = ∂C/∂a · ∂a/∂w", by_w, c_by_a * a_by_b * a_0)
    stated.equal("∂C/∂w = ∂C/∂a · ∂a/∂z · ∂z/∂w", by_w, c_by_a * a_by_z * a_0)
    stated.equal("∂C/∂b = ∂C/∂a · ∂a/∂b", by_b, c_by_a * a_by_b)
    stated.equal("∂C/∂b = ∂C/∂a · ∂a/∂z · ∂z/∂b", by_b, c_by_a * a_by_z)

    smooth = plain_curve()
    cost, slope = smooth.at(3.0)
    lower, _ = smooth.at(3.0 - 0.1 * slope)
    stated.true("where the slope is positive, lowering w lowers C", slope > 0 and lower < cost)
    best = smooth.descend(3.0, 1.0, 3000)[-1]
    least = smooth.at(best)[0]
    dearer = smooth.at(best - 1)[0] > least < smooth.at(best + 1)[0]
    stated.true("too small and too large a w is costly", dearer)
    places = {round(w, 2) for w in found.values()}
    stated.true(f"{len(STARTS)} starts end in {len(places)} minima", len(places) == 3)
    for place in sorted(places):
        cost, slope = curve.at(place)
        lowest = min(curve.at(place - 0.2)[0], curve.at(place + 0.2)[0]) > cost
        stated.true(f"a minimum at w = {place:.2f}, C = {cost:.4f}", lowest and abs(slope) < 1e-2)
    return stated


def sorted_like(network: nn.Module, gradients: dict[str, Tensor]) -> list[tuple[str, Tensor]]:
    return [(name, gradients[name]) for name, _ in network.named_parameters()]


def figures(curve: Curve, found: dict[float, float], jacobian: Tensor) -> dict[str, Any]:
    smooth, w_0 = plain_curve(), 3.0
    (one, several, over_two, matrix), axes = zip(
        *((figure := Figure(figsize=(7, 4.5)), figure.subplots()) for _ in range(4)), strict=True
    )
    w = torch.linspace(-6, 6, 200).tolist()
    axes[0].plot(w, [smooth.at(each)[0] for each in w], label="C(w)")
    cost, slope = smooth.at(w_0)
    near = [w_0 - 1.5, w_0 + 1.5]
    axes[0].plot(near, [cost + slope * (each - w_0) for each in near], label=f"slope {slope:.3f}")
    after = w_0 - 5 * slope
    arrow = {"arrowstyle": "->", "color": "C3"}
    axes[0].annotate("", (after, smooth.at(after)[0]), (w_0, cost), arrowprops=arrow)
    axes[0].plot([w_0], [cost], "o", color="C3", label="$w_0$, and the step downhill")
    axes[0].set(title="The cost against one weight", xlabel="w", ylabel="C")
    axes[0].legend()

    w = torch.linspace(min(STARTS), max(STARTS), 600).tolist()
    axes[1].plot(w, [curve.at(each)[0] for each in w])
    for number, (start, end) in enumerate(found.items()):
        places = [curve.at(each)[0] for each in (start, end)]
        axes[1].plot([start, end], places, "--", color=f"C{number + 1}", linewidth=0.8)
        axes[1].plot([start], places[:1], "o", color=f"C{number + 1}")
        axes[1].plot([end], places[1:], "*", markersize=12, color=f"C{number + 1}")
    axes[1].set(title="Several minima, and the starts that lead there", xlabel="w", ylabel="C")

    x, y, costs, path = surface()
    drawn = axes[2].contourf(x.tolist(), y.tolist(), costs.tolist(), levels=30)
    over_two.colorbar(drawn, label="C")
    axes[2].plot(*path.T.tolist(), "w.-", markersize=2, linewidth=0.8)
    axes[2].plot(*path[-1:].T.tolist(), "r*", markersize=12)
    axes[2].set(title="The cost over two weights, and the descent", xlabel="$w_1$", ylabel="$w_2$")

    matrix.colorbar(axes[3].imshow(jacobian.tolist(), aspect="auto", cmap="coolwarm"))
    axes[3].set(title="The Jacobian: outputs by parameters", xlabel="parameter", ylabel="output")
    axes[3].set_yticks([0, 1], ["$a_1$", "$a_2$"])
    return {"one_weight": one, "several_minima": several, "surface": over_two, "jacobian": matrix}


def main(settings: Settings) -> None:
    """Lecture 002: the cost as a curve, as a surface, and its slope; and the Jacobian."""
    torch.manual_seed(settings.seed)
    task = Task(
        "cost_surface",
        nn.SigmoidNetwork((4, 3, 2)),
        COST,
        *flowers(settings.seed),
        scores={"accuracy": accuracy},
        torch_loss=torch.nn.MSELoss(reduction="sum"),
    )
    folder = train(task, settings).folder
    if folder is None:  # a dry run, or not the first process
        return
    explained = LECTURE.explain(seed=settings.seed)
    print(explained)
    log_explanations(folder, {"w11": explained})
    curve = wiggly_curve()
    found = minima(curve)
    torch.manual_seed(settings.seed)
    jacobian = jacobian_by_hand(LECTURE.network(), float64(*LECTURE.x))
    log_figures(folder, figures(curve, found, jacobian))
    print(f"The figures are in {folder}.")
    statements(settings.seed, curve, found).show()


if __name__ == "__main__":
    both = [Gradients.HANDWRITTEN, Gradients.TORCH]
    run_experiment(main, Settings(dtype=Dtype.FLOAT64, gradients=both, epochs=100, lr=0.02))
