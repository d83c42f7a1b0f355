"""Which number of the network is explained: a parameter by name and the entry of it."""

from dataclasses import dataclass

from torchref import ops
from torchref.errors import InputError
from torchref.explainer.chain.graph import Graph, Stage


@dataclass(frozen=True)
class Place:
    """An entry of a parameter: into neuron j of a stage, from unit i or from the constant 1."""

    name: str
    entry: tuple[int, ...]
    stage: Stage
    j: int
    i: int | None

    @property
    def is_first_of_its_neuron(self) -> bool:
        """The sweep comes to a neuron's first weight before its others and its bias."""
        return self.i == 0

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.entry))}]"


def place_of(graph: Graph, name: str | None, entry: int | tuple[int, ...] | None) -> Place:
    """Raises `InputError` for a parameter or an entry that is not there."""
    named = {
        graph.stack.names[parameter]: (stage, parameter)
        for stage in graph.stages
        for parameter in stage.layer.parameters
        if parameter is not None
    }
    name = next(iter(named)) if name is None else name
    if name not in named:
        raise InputError(
            f"explain: the parameter must be one of {', '.join(named)}",
            f"{name!r} arrived",
            "These are the names of network.named_parameters().",
        )
    stage, parameter = named[name]
    if entry is None:
        entry = (0,) * parameter.dim()
    entry = (entry,) if isinstance(entry, int) else tuple(entry)
    fits = len(entry) == parameter.dim() and all(
        index in range(size) for index, size in zip(entry, parameter.shape, strict=True)
    )
    if not fits:
        last = ", ".join(str(size - 1) for size in parameter.shape)
        raise InputError(
            f"explain: an entry of {name} must lie in {', '.join('0' for _ in parameter.shape)} "
            f"… {last}",
            f"{entry} arrived",
            f"{name} has shape {tuple(parameter.shape)}, and entries count from 0.",
        )
    j, i = entry[0], entry[1] if len(entry) == 2 else None
    if stage.layer.op is ops.HomogeneousAffine and i == stage.slopes.shape[1]:
        i = None  # the last column multiplies the constant 1
    return Place(name, entry, stage, j, i)
