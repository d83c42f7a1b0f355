"""The steps of a backward that autograd derived: its nodes, and the lines that made them."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd.graph import Node

Grads = tuple[Tensor | None, ...]
Alteration = Callable[[Grads, Grads], Grads | None]  # of what a node passes on and has received

LEAF = "AccumulateGrad"
SILENT = {"t", "transpose", "permute", "view", "unsafe view", "reshape alias", "expand", "clone"}
SILENT |= {"squeeze", "unsqueeze", "to copy", "alias"}  # they say nothing of what passes through
MOST_OF_A_LINE = 60  # characters of a line of code that are told
FRAME = re.compile(r'File "(?P<file>.*)", line \d+, in (?P<function>.*)\n\s*(?P<code>.*)')
TORCH, CHECKER = str(Path(torch.__file__).parent), str(Path(__file__).parents[2])


@dataclass(frozen=True, eq=False)
class Step:
    """One node: how it is called, the line of code that made it where it is known, its operands.

    `operands` says by place what each of them is: an argument, or the result of another step.
    """

    node: Node
    name: str
    line: str
    operands: Mapping[int, str]

    @property
    def told(self) -> str:
        """`tanh in "h = torch.tanh(z)"`."""
        return f"{self.name} in `{self.line}`" if self.line else self.name

    def towards(self, place: int) -> str:
        """`to exp, operand 2 of mul in "a * torch.exp(b)"`."""
        if len(self.operands) == 1:
            return f"through {self.told}"
        return f"to {self.operands[place]}, operand {place + 1} of {self.told}"

    def shape_towards(self, place: int) -> tuple[int, ...]:
        """The shape of what it passes to one of its operands."""
        node, number = self.node.next_functions[place]
        if node is None:
            return ()
        if LEAF in node.name():
            return tuple(_leaf_of(node).shape)
        return tuple(node._input_metadata[number].shape)

    @cached_property
    def saved(self) -> dict[str, Tensor]:
        """The tensors that the node keeps for its backward: operands and results."""
        kept = {}
        for name in dir(self.node):
            if name.startswith("_saved_"):
                value = getattr(self.node, name)
                if isinstance(value, Tensor) and value.is_floating_point():
                    kept[name.removeprefix("_saved_")] = value.detach()
        return kept


def steps_back(outputs: Sequence[Tensor], arguments: Mapping[str, Tensor]) -> list[Step]:
    """Every step between the outputs and the arguments, those next to the outputs first."""
    names = {id(x): name for name, x in arguments.items()}
    waiting = [y.grad_fn for y in outputs if y.grad_fn is not None]
    found: dict[Node, Step] = {}
    while waiting:
        node = waiting.pop(0)
        if node in found or LEAF in node.name():
            continue
        children = {i: child for i, (child, _) in enumerate(node.next_functions) if child}
        operands = {i: _result(child, names) for i, child in children.items()}
        found[node] = Step(node, _called(node), _line(node), operands)
        waiting += children.values()
    return list(found.values())


@contextmanager
def altered(alterations: Mapping[Node, Alteration]) -> Iterator[None]:
    """While it lasts, each node passes on what its alteration makes of its gradients."""
    handles = [node.register_hook(alteration) for node, alteration in alterations.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _result(node: Node, names: Mapping[int, str]) -> str:
    """What a node stands for: an argument by its name, or the step whose result it is."""
    while LEAF not in node.name() and _called(node) in SILENT:
        below = [child for child, _ in node.next_functions if child]
        if len(below) != 1:
            break
        node = below[0]
    if LEAF not in node.name():
        return _called(node)
    return names.get(id(_leaf_of(node)), "a constant")


def _leaf_of(node: Node) -> Tensor:
    leaf: Tensor = getattr(node, "variable")  # noqa: B009 - torch's stubs know of none
    return leaf


def _called(node: Node) -> str:
    """`SigmoidBackward0` is the sigmoid, `UnsafeViewBackward0` an unsafe view."""
    by_hand = getattr(node, "_forward_cls", None)
    if by_hand is not None:
        return str(by_hand.__name__)
    stem = re.sub(r"Backward\d*$", "", node.name().split("::")[-1])
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem).lower()


def _line(node: Node) -> str:
    """The line that made the node, of those that the checker's call led to, if there is one."""
    metadata: Mapping[str, list[str]] = getattr(node, "metadata")  # noqa: B009 - in the stubs a method
    frames = [FRAME.search(frame) for frame in metadata.get("traceback_", ())]
    within = [f for f in frames if f is not None and not f["file"].startswith(TORCH)]
    theirs = list(takewhile(lambda f: not f["file"].startswith(CHECKER), reversed(within)))
    if not theirs:
        return ""
    code = theirs[0]["code"].strip()
    code = _lambda_in(code) if theirs[0]["function"] == "<lambda>" else code
    return code if len(code) <= MOST_OF_A_LINE else f"{code[:MOST_OF_A_LINE]}…"


def _lambda_in(code: str) -> str:
    """What the one lambda of a line computes; nothing where the line is a part, or has several."""
    for whole in (code, f"({code.rstrip(',')})", f"f({code})"):  # an argument among others
        with suppress(SyntaxError):
            nodes = list(ast.walk(ast.parse(whole)))
            found = [node for node in nodes if isinstance(node, ast.Lambda)]
            return ast.get_source_segment(whole, found[0].body) or "" if len(found) == 1 else ""
    return ""
