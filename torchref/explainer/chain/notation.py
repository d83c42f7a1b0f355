"""The lectures' symbols, written with raised and lowered figures."""

from dataclasses import dataclass
from typing import Literal

RAISED = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def raised(number: int) -> str:
    return f"({number})".translate(RAISED)


def lowered(*numbers: int) -> str:
    between = "‚" if max(numbers) > 9 else ""  # a low comma
    return between.join(map(str, numbers)).translate(LOWERED)


def lowered_to_each(number: int) -> str:
    """From unit `number` to every neuron k: ₁ₖ, and ₁₂‚ₖ."""
    return lowered(number) + ("‚" if number > 9 else "") + "ₖ"


@dataclass(frozen=True)
class Notation:
    """Which letters stand for what, and where the number of the layer is written.

    levels   "superscript": z⁽²⁾₁ and w⁽²⁾₁₁, as in the lectures on deep networks
             "subscript": z₂ and w₂, for a chain of single neurons
             "weights": z₁ but w⁽¹⁾₁₁, and z for the single output, for two layers
             "none": z₁ and w₁₁ in the first layer, z and w₁ in the last, for two layers
    An empty `activation` writes σ(z) instead of a letter, and steps from z to z in one factor;
    an empty `output` gives the last activation no letter of its own.

    >>> from torchref import explain, nn
    >>> network, x, target = nn.SigmoidNetwork((2, 2, 1)), torch.rand(2), torch.rand(1)
    >>> explain(network, nn.MSELoss(), x, target, notation=Notation("E", levels="none")).gradient
    '∂E/∂w₁₁'
    """

    loss: str = "L"
    target: str = "y"
    output: str = "ŷ"
    weight: str = "w"
    bias: str = "b"
    net: str = "z"
    activation: str = "a"
    rate: str = "α"
    levels: Literal["superscript", "subscript", "weights", "none"] = "superscript"


class Names:
    """The symbols of one network: `sizes` are the neurons of each level, the inputs first."""

    def __init__(self, notation: Notation, sizes: tuple[int, ...]) -> None:
        self.notation, self.sizes = notation, sizes

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def input(self, i: int) -> str:
        return "x" + self._index(0, i)

    def target(self, k: int) -> str:
        return self.notation.target + self._index(self.depth, k)

    def output(self, k: int) -> str:
        return self.notation.output + self._index(self.depth, k)

    def net(self, level: int, j: int) -> str:
        return self._neuron(self.notation.net, level, j)

    def delta(self, level: int, j: int) -> str:
        return self._neuron("δ", level, j)

    def activation(self, level: int, j: int, times: int = 1) -> str:
        """What the activation makes of the net input; with a prime for a second activation."""
        if not self.notation.activation:
            return f"σ({self.net(level, j)})"
        return self._neuron(self.notation.activation + "′" * (times - 1), level, j)

    def weight(self, level: int, i: int, j: int) -> str:
        letter = self.notation.weight
        match self.notation.levels:
            case "subscript":
                return letter + lowered(level)
            case "none" if self.sizes[level] == 1:
                return letter + lowered(i + 1)
            case "none":
                return letter + lowered(i + 1, j + 1)
            case _:
                return letter + raised(level) + lowered(i + 1, j + 1)

    def bias(self, level: int, j: int) -> str:
        return self._neuron(self.notation.bias, level, j)

    def _neuron(self, letter: str, level: int, j: int) -> str:
        if self.notation.levels == "subscript":
            return letter + lowered(level)
        index = self._index(level, j)
        return letter + (raised(level) if self.notation.levels == "superscript" else "") + index

    def _index(self, level: int, j: int) -> str:
        return lowered(j + 1) if self.sizes[level] > 1 else ""


def derivative(y: str, x: str) -> str:
    return f"∂{y}/∂{x}"
