"""The network of each lecture, in the lecture's letters and with its numbers where it has some.

Lecture 003 works an example with numbers. The others give none: there the weights are drawn from
a seed, as the lectures say, and the example is a plain one.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from torchref import nn
from torchref.errors import known
from torchref.explainer.chain.notation import Notation
from torchref.explainer.explanation import Explanation, explain

# Lecture 003's worked example.
CHAIN_START = {
    "linear1.weight": 0.15,
    "linear1.bias": 0.40,
    "linear2.weight": 0.45,
    "linear2.bias": 0.65,
}
CHAIN_RATE = 0.4
CHAIN_INPUT, CHAIN_TARGET = 0.1, 0.25

# A versicolor of scikit-learn's iris data, standardised as `experiments.iris` does: by what the 100
# versicolor and virginica measure. Lengths and widths of sepal and petal, in cm.
FLOWER = (7.0, 3.2, 4.7, 1.4)
FLOWERS_MEAN = (6.262, 2.872, 4.906, 1.676)
FLOWERS_DEVIATION = (0.660, 0.331, 0.821, 0.423)

VANISHING, LEVELS = "vanishing-gradients", 12


@dataclass(frozen=True)
class Lecture:
    """A network, a loss and an example, in the letters of one lecture."""

    about: str
    network: Callable[[], nn.Sequential]
    loss: nn.Module
    x: tuple[float, ...]
    target: tuple[float, ...]
    notation: Notation
    rate: float = 0.1

    def drawn(self, seed: int = 0) -> tuple[nn.Sequential, Tensor, Tensor]:
        """The network, where the lecture gives no weights with some of the seed; x and target."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.network(), numbers(self.x)[None], numbers(self.target)[None]

    def explain(
        self,
        parameter: str | None = None,
        entry: tuple[int, ...] | None = None,
        *,
        seed: int = 0,
        rate: float | None = None,
    ) -> Explanation:
        """The chain rule of an entry of a parameter, the first if it is left out."""
        network, x, target = self.drawn(seed)
        return explain(
            network,
            self.loss,
            x,
            target,
            parameter,
            entry,
            rate=self.rate if rate is None else rate,
            notation=self.notation,
        )


def numbers(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def chain_of_two() -> nn.SigmoidNetwork:
    """Lecture 003's chain of two neurons with its weights."""
    network = nn.SigmoidNetwork((1, 1, 1)).double()
    for name, parameter in network.named_parameters():
        nn.init.constant_(parameter, CHAIN_START[name])
    return network


def matrix_form() -> nn.Sequential:
    """Lecture 004's two layers, each one matrix with the bias folded in."""
    layers = {
        "linear1": nn.HomogeneousLinear(2, 2),
        "sigmoid1": nn.Sigmoid(),
        "linear2": nn.HomogeneousLinear(2, 1),
        "sigmoid2": nn.Sigmoid(),
    }
    return nn.Sequential(OrderedDict(layers)).double()


def vanishing_chain(levels: int) -> nn.SigmoidNetwork:
    """Single neurons with all weights 1, so that only the slopes of the sigmoids shrink what comes
    back; z is near 0, where these slopes are largest."""
    network = nn.SigmoidNetwork((1,) * (levels + 1)).double()
    for name, parameter in network.named_parameters():
        nn.init.constant_(parameter, 1.0 if "weight" in name else -0.5)
    return network


def sigmoid_network(*sizes: int) -> Callable[[], nn.Sequential]:
    return lambda: nn.SigmoidNetwork(sizes).double()


LECTURES: dict[str, Lecture] = {
    "log-loss-network": Lecture(
        "000: two inputs, two hidden neurons, one output and the log loss",
        sigmoid_network(2, 2, 1),
        nn.BCELoss(reduction="sum"),
        (0.5, -1.0),
        (1.0,),
        Notation(levels="none"),
    ),
    "three-layers": Lecture(
        "001: three layers, and what each stores for the one before it",
        sigmoid_network(2, 2, 2, 1),
        nn.BCELoss(reduction="sum"),
        (0.5, -1.0),
        (1.0,),
        Notation(),
    ),
    "cost-surface": Lecture(
        "002: 4-3-2 and the plain sum of squares",
        sigmoid_network(4, 3, 2),
        nn.SquaredError("sum"),
        (0.1, 0.4, -0.3, 0.8),
        (1.0, 0.0),
        Notation(loss="C", output=""),
    ),
    "iris": Lecture(
        "002: 4-3-2 on a flower, a versicolor, not a virginica",
        sigmoid_network(4, 3, 2),
        nn.SquaredError("sum"),
        tuple(
            (measure - mean) / deviation
            for measure, mean, deviation in zip(
                FLOWER, FLOWERS_MEAN, FLOWERS_DEVIATION, strict=True
            )
        ),
        (1.0, 0.0),
        Notation(loss="C", output=""),
    ),
    "two-neuron-chain": Lecture(
        "003: the worked example, a chain of two neurons",
        chain_of_two,
        nn.SquaredError("half_sum"),
        (CHAIN_INPUT,),
        (CHAIN_TARGET,),
        Notation(loss="E", target="T", output="", levels="subscript"),
        CHAIN_RATE,
    ),
    VANISHING: Lecture(
        "003: what it announces, the gradient that vanishes in deep sigmoids",
        partial(vanishing_chain, LEVELS),
        nn.SquaredError("half_sum"),
        (1.0,),
        (0.0,),
        Notation(loss="E", target="T", output="", levels="subscript"),
    ),
    "matrix-form": Lecture(
        "004: the bias folded into the matrix, the log loss",
        matrix_form,
        nn.BCELoss(reduction="sum"),
        (0.5, -1.0),
        (1.0,),
        Notation(loss="E", weight="W", net="h", activation="", levels="weights"),
    ),
}


def lecture(name: str, levels: int | None = None) -> Lecture:
    """By its name, or its number, as 000; `levels` are those of the vanishing gradients.

    Raises `InputError` for a name that no lecture has.
    """
    numbered = [each for each in LECTURES if name and LECTURES[each].about.startswith(f"{name}:")]
    name = numbered[0] if numbered else name
    otherwise = "000 to 004 are theirs too; a network of your own is given by --sizes and --loss."
    known(name, LECTURES, "the lecture", otherwise)
    if levels is None:
        return LECTURES[name]
    return replace(LECTURES[name], network=partial(vanishing_chain, levels))
