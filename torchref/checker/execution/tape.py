"""One forward of a subject, and the way back from it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Generator, Tensor
from torch.autograd.graph import Node

from torchref.checker.execution.arithmetic import draw_signed, is_freed
from torchref.checker.execution.case import Case
from torchref.checker.execution.subject import Subject
from torchref.checker.execution.time_limit import require_time

Cotangents = Mapping[int, Tensor]  # by the place of the output
Gradients = tuple[Tensor | None, ...]  # in the order of the arguments

REFUSES_GRAD = ".backward()"  # what those who run themselves again say is to be called instead
FORWARD_SEED = 1234  # dropout and its like draw the same numbers in every forward


def seed_forward(case: Case, seed: int = FORWARD_SEED) -> None:
    """Seed the generators that a forward on the case may draw from.

    `torch.manual_seed` seeds every backend there is, and takes longer than a small forward.
    """
    torch.default_generator.manual_seed(seed)
    if case.device.type == "cuda":
        torch.cuda.manual_seed(seed)


def fresh(leaves: Sequence[Any]) -> list[Any]:
    """Copies of the tensors among them: what is called may write into them, or free them."""
    return [copy_layout(x) if isinstance(x, Tensor) else x for x in leaves]


def evaluate(subject: Subject, case: Case, leaves: Sequence[Any]) -> tuple[Tensor, ...]:
    """The outputs at some leaves, without a tape; what is not differentiated is copied first."""
    require_time()
    moving = set(case.wrt)
    copied = [
        copy_layout(leaf) if isinstance(leaf, Tensor) and i not in moving else leaf
        for i, leaf in enumerate(leaves)
    ]
    seed_forward(case)
    with torch.no_grad():
        return subject.outputs(case.spec, copied)


class Tape:
    """The outputs of one forward on fresh copies of the leaves, and their gradients.

    `wrt` says which leaves require grad; all that the case differentiates unless it is given.
    `seed` is that of the random numbers which the forward may draw.
    """

    def __init__(
        self,
        subject: Subject,
        case: Case,
        wrt: Sequence[int] | None = None,
        seed: int = FORWARD_SEED,
    ) -> None:
        require_time()
        self.subject, self.case, self.seed = subject, case, seed
        self.wrt = case.wrt if wrt is None else tuple(wrt)
        self.leaves = fresh(case.leaves)
        self.arguments = [self.leaves[i].requires_grad_() for i in self.wrt]
        self.frees_outputs = False
        seed_forward(case, seed)
        with torch.enable_grad():
            self.outputs = subject.outputs(case.spec, self.leaves)

    def gradients(self, cotangents: Cotangents, create_graph: bool = False) -> Gradients:
        """What the subject's backward makes of the cotangents; outputs without one count 0.

        It works on copies of them: a backward may write into its grad_output.
        """
        return self.pull({i: copy_layout(c) for i, c in cotangents.items()}, create_graph)

    def pull(self, cotangents: Cotangents, create_graph: bool = False) -> Gradients:
        """As `gradients`, on the very cotangents given."""
        require_time()
        pulled = {i: c for i, c in cotangents.items() if self.outputs[i].requires_grad}
        if not pulled or not self.arguments:
            return (None,) * len(self.arguments)
        outputs = [self.outputs[i] for i in pulled]
        with self.subject.during_backward(self.case.spec, self.leaves):
            if self.subject.holding is not None and not create_graph:
                gradients = _accumulated(outputs, self.arguments, list(pulled.values()))
            else:
                gradients = self._grad(outputs, list(pulled.values()), create_graph)
        if any(is_freed(y) for y in self.outputs):  # as reversible blocks do, to save memory
            anew = Tape(self.subject, self.case, self.wrt, self.seed)
            self.leaves, self.arguments, self.outputs = anew.leaves, anew.arguments, anew.outputs
            self.frees_outputs = True
        return tuple(g if g is None else dense(g) for g in gradients)

    def _grad(
        self, outputs: Sequence[Tensor], cotangents: Sequence[Tensor], create_graph: bool
    ) -> Gradients:
        try:
            return torch.autograd.grad(
                outputs,
                self.arguments,
                cotangents,
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
        except RuntimeError as refusal:
            if create_graph or REFUSES_GRAD not in str(refusal):
                raise
        return _accumulated(outputs, self.arguments, cotangents)

    def draw_cotangents(self, generator: Generator) -> dict[int, Tensor]:
        """A random cotangent for each differentiable output, by its place among the outputs."""
        return {
            i: draw_signed(y.detach(), generator)
            for i, y in enumerate(self.outputs)
            if y.requires_grad
        }


def _accumulated(
    outputs: Sequence[Tensor], arguments: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> Gradients:
    """What `backward` leaves in `.grad` of the arguments.

    A module may run itself again in its backward and accumulate there, which `grad` does not see,
    or refuses, as checkpointing does.
    """
    with accumulating_anew([*leaves_behind(outputs), *arguments]):
        torch.autograd.backward(outputs, cotangents, retain_graph=True)
        return tuple(argument.grad for argument in arguments)


@contextmanager
def accumulating_anew(leaves: Sequence[Tensor]) -> Iterator[None]:
    """While it lasts, `.grad` of the leaves begins at None; it is as before when it ends."""
    before = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    try:
        yield
    finally:
        for leaf, grad in zip(leaves, before, strict=True):
            leaf.grad = grad


def leaves_behind(outputs: Sequence[Tensor]) -> list[Tensor]:
    """The leaves that a backward of the outputs accumulates into."""
    return [node.variable for node in nodes_behind(outputs) if hasattr(node, "variable")]


def nodes_behind(outputs: Sequence[Tensor]) -> list[Node]:
    """All nodes of the graph that leads to the outputs, each once."""
    found: dict[Node, None] = {}
    pending = [y.grad_fn for y in outputs if y.grad_fn is not None]
    while pending:
        node = pending.pop()
        if node not in found:
            found[node] = None
            pending += [before for before, _ in node.next_functions if before is not None]
    return list(found)


def dense(x: Tensor) -> Tensor:
    """What a sparse gradient, as of an embedding, stands for."""
    return x if x.layout is torch.strided else x.to_dense()


def copy_layout(x: Tensor) -> Tensor:
    """A copy that has the strides of x too, where `clone` would make it contiguous."""
    if x.is_contiguous() or x.layout is not torch.strided:
        return x.detach().clone()
    storage = x.untyped_storage().clone()
    fresh = torch.empty(0, dtype=x.dtype, device=x.device)
    copy = fresh.set_(storage, x.storage_offset(), x.shape, x.stride())
    copy = copy.conj() if x.is_conj() else copy
    return torch._neg_view(copy) if x.is_neg() else copy
