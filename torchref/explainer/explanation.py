"""The chain rule of one parameter, with everything that is shown of it."""

from collections.abc import Iterator
from itertools import islice
from math import isfinite
from numbers import Real

import torch
from torch import Tensor

from torchref import nn
from torchref.explainer.chain.account import Account
from torchref.explainer.chain.counting import count, growth
from torchref.explainer.chain.factors import cancellation
from torchref.explainer.chain.forward import quantities
from torchref.explainer.chain.graph import Graph, graph_of
from torchref.explainer.chain.notation import Names, Notation
from torchref.explainer.chain.paths import (
    chain,
    contributions,
    deltas,
    path_count,
    paths,
)
from torchref.explainer.chain.verdict.evidence import evidence_for
from torchref.explainer.chain.viewpoint import Viewpoint, place_of
from torchref.explainer.charts.sheet import Sheet
from torchref.explainer.diagram.drawing import drawing_of
from torchref.explainer.diagram.style import PAGE
from torchref.explainer.document.sections import Section, sections
from torchref.explainer.document.shown import Shown
from torchref.functional.admission import require

MOST_PATHS = 20_000  # to be summed one by one and held against the δ recursion


class Explanation(Shown, Account):
    """What `explain` found out about one entry of a parameter; see `Account` for what it holds.

    `print` shows its text.
    """

    def sections(self) -> Iterator[Section]:
        return sections(self)

    def drawing(self, path: int | None = None, *, highlight: bool = True) -> Sheet:
        """The network with values and gradients on its neurons and weights, as SVG or PNG.

        Highlighted is the way from the loss to the parameter: all paths, or the one that has this
        number in `paths`, or none with `highlight=False`. Of large networks the middle is left
        out, with a count. A weight's gradient is that of all examples, a neuron's that of the
        example explained.
        Raises `InputError` for a path that is not there.

        >>> from torchref.explainer.lectures import lecture
        >>> drawing = lecture("two-neuron-chain").explain().drawing()
        >>> "w₁ 0.15" in drawing.svg(), "∂ 0.001021" in drawing.svg()
        (True, True)
        """
        require(
            path is None or path in range(len(self.paths)),
            f"drawing: path must be None, for all, or lie in 0 … {len(self.paths) - 1}",
            f"{path} arrived",
            "It is a place in the explanation's paths; most_paths says how many are listed.",
        )
        chosen = None if path is None else self.paths[path]
        return drawing_of(self, chosen, PAGE, is_marked=highlight)


@torch.inference_mode(False)  # autograd is asked too, wherever the question comes from
@torch.enable_grad()
def explain(
    network: nn.Module,
    loss: nn.Module,
    x: Tensor,
    target: Tensor,
    parameter: str | None = None,
    entry: int | tuple[int, ...] | None = None,
    *,
    rate: float = 0.1,
    example: int = 0,
    most_paths: int = 8,
    notation: Notation | None = None,
) -> Explanation:
    """The chain rule for one entry of a parameter, factor by factor and with its numbers.

    `parameter` and `entry` are as in `dict(network.named_parameters())[parameter][entry]`; left
    out, the first. Of a batch one `example` is followed through the network, and the others'
    contributions are added. `rate` is the learning rate of the update that is shown, and
    `most_paths` how many paths are listed where there are several.

    Shapes: x (i) or (n, i), target (o) or (n, o). Everything is computed in float64.
    Raises `InputError` for a network that is not a stack of linear layers and activations, a
    parameter, entry or example that is not there, and whatever network and loss say of x and
    target.
    Source: lectures 000 to 004.

    >>> from torchref import nn
    >>> network = nn.SigmoidNetwork((1, 1, 1))
    >>> x, target = torch.tensor([0.1]), torch.tensor([0.25])
    >>> found = explain(network, nn.SquaredError("half_sum"), x, target)
    >>> " · ".join(factor.symbol for factor in found.factors)
    '∂L/∂ŷ · ∂ŷ/∂z⁽²⁾ · ∂z⁽²⁾/∂a⁽¹⁾ · ∂a⁽¹⁾/∂z⁽¹⁾ · ∂z⁽¹⁾/∂w⁽¹⁾₁₁'
    >>> found.verdict
    'right'
    """
    require(
        isinstance(most_paths, int) and most_paths >= 0,
        "explain: most_paths must be a whole number, 0 or more",
        f"{most_paths!r} arrived",
        "8 fit.",
    )
    require_rate_and_notation(rate, notation)
    graph = graph_of(network, loss, x, target)
    require_example(graph, example)
    names = Names(notation or Notation(), graph.sizes)
    view = Viewpoint(graph, names, place_of(graph, parameter, entry), example)
    return explained(view, rate, most_paths, MOST_PATHS)


def require_example(graph: Graph, example: int) -> None:
    require(
        example in range(len(graph.x)),
        f"explain: example must lie in 0 … {len(graph.x) - 1}",
        f"{example} arrived",
        "It is a row of x.",
    )


def require_rate_and_notation(rate: float, notation: Notation | None) -> None:
    require(
        isinstance(rate, Real) and isfinite(rate) and rate > 0,
        "explain: rate must be a positive number",
        f"{rate!r} arrived",
        "0.1 is a usual one.",
    )
    require(
        notation is None or isinstance(notation, Notation),
        "explain: notation must be a Notation",
        f"{notation!r} arrived",
        "Leave it out for the usual symbols.",
    )


def explained(view: Viewpoint, rate: float, most_paths: int, most_summed: int) -> Explanation:
    """All that is to be said from a viewpoint; paths are summed where there are few enough."""
    graph, place = view.graph, view.place
    products, ways = contributions(view), path_count(view)
    every = tuple(paths(view)) if ways <= most_summed else None
    affine = [stage for stage in graph.stages if stage.is_affine]
    biased = tuple(bool(view.bias(stage, 0)) for stage in affine)
    return Explanation(
        notation=view.names.notation,
        sizes=graph.sizes,
        place=place,
        parameter=view.parameter(),
        gradient=view.gradient(),
        example=view.example,
        forward=quantities(view),
        factors=chain(view),
        path_count=ways,
        paths=tuple(islice(paths(view) if every is None else every, most_paths)),
        path_sum=None if every is None else sum(path.product for path in every),
        deltas=deltas(view),
        cancellation=cancellation(view),
        contributions=tuple(products.tolist()),
        evidence=evidence_for(view, float(products.sum())),
        rate=rate,
        before=float(graph.stack.network.get_parameter(place.name).detach()[place.entry]),
        counts=count(graph.sizes, graph.activations, biased),
        growth=growth(graph.sizes, range(1, max(6, len(graph.sizes)) + 1)),
        view=view,
    )
