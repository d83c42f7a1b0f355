"""The chain rule of one parameter, with everything that is shown of it."""

from itertools import islice
from os import PathLike
from typing import Any

import torch
from torch import Tensor

from torchref import nn
from torchref.errors import not_writable
from torchref.explainer.chain.account import Account
from torchref.explainer.chain.counting import count, growth
from torchref.explainer.chain.evidence import evidence_for
from torchref.explainer.chain.factors import cancellation
from torchref.explainer.chain.forward import quantities
from torchref.explainer.chain.graph import graph_of
from torchref.explainer.chain.notation import Names, Notation
from torchref.explainer.chain.paths import (
    chain,
    contributions,
    deltas,
    magnitude,
    path_count,
    paths,
)
from torchref.explainer.chain.viewpoint import Viewpoint, place_of
from torchref.explainer.document.forms import as_latex, as_markdown, as_text
from torchref.explainer.document.picture import figure
from torchref.explainer.document.sections import sections
from torchref.functional.admission import require

MOST_PATHS = 20_000  # to be summed one by one and held against the δ recursion


class Explanation(Account):
    """What `explain` found out about one entry of a parameter; see `Account` for what it holds.

    `print` shows its text.
    """

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """Tables for a terminal: as wide as this one, or 100 columns where there is none."""
        return as_text(sections(self), width)

    def markdown(self) -> str:
        return as_markdown(sections(self))

    def latex(self) -> str:
        """A document that LaTeX compiles."""
        return as_latex(sections(self))

    def figure(self) -> Any:
        """The same as a matplotlib figure, as TensorBoard's `add_figure` takes it."""
        return figure(sections(self))

    def save_png(self, file: str | PathLike[str]) -> None:
        """A picture of it, drawn by matplotlib.

        Raises `InputError` where the file cannot be written.
        """
        drawn = self.figure()
        try:
            drawn.savefig(file, dpi=130, format="png")
        except OSError as error:
            raise not_writable("The picture", file, error) from error


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
    graph = graph_of(network, loss, x, target)
    require(
        example in range(len(graph.x)),
        f"explain: example must lie in 0 … {len(graph.x) - 1}",
        f"{example} arrived",
        "It is a row of x.",
    )
    require(
        most_paths >= 0, "explain: most_paths must be 0 or more", f"{most_paths} arrived", "8 fit."
    )
    notation = notation or Notation()
    place = place_of(graph, parameter, entry)
    view = Viewpoint(graph, Names(notation, graph.sizes), place, example)
    products, ways = contributions(view), path_count(view)
    affine = [stage for stage in graph.stages if stage.is_affine]
    biased = tuple(bool(view.bias(stage, 0)) for stage in affine)
    return Explanation(
        notation=notation,
        sizes=graph.sizes,
        place=place,
        parameter=view.parameter(),
        gradient=view.gradient(),
        example=example,
        forward=quantities(view),
        factors=chain(view),
        path_count=ways,
        paths=tuple(islice(paths(view), most_paths)),
        path_sum=sum(path.product for path in paths(view)) if ways <= MOST_PATHS else None,
        deltas=deltas(view),
        cancellation=cancellation(view),
        contributions=tuple(products.tolist()),
        evidence=evidence_for(graph, place, float(products.sum()), magnitude(view)),
        rate=rate,
        before=float(graph.stack.network.get_parameter(place.name).detach()[place.entry]),
        counts=count(graph.sizes, graph.activations, biased),
        growth=growth(graph.sizes, range(1, max(6, len(graph.sizes)) + 1)),
    )
