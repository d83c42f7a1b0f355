"""What of grad_output a gradient listens to: the rest is changed, and the same comes back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from torchref.checker.causes.factor import proportion
from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.diagnosis.experiments.true_gradient import true_under
from torchref.checker.execution.arithmetic import SAME, draw_signed, same
from torchref.checker.execution.run import RefusedError, Run
from torchref.checker.execution.tape import Cotangents

MANY = 20_000  # elements; above it many backward passes take long
FAR = 4.0  # beside the entries of a cotangent: what was the largest of them is no longer
Changed = tuple[str, Tensor]  # what alone has stayed of a cotangent, and the cotangent


def ignored(run: Run, place: int, got: Tensor, true: Tensor) -> Iterator[Hypothesis]:
    """grad_output takes no part in a gradient, or only a sum or an entry of it does."""
    try:
        yield from Listener(run, place, got, true).hypotheses()
    except RefusedError:
        return


@dataclass(frozen=True)
class Listener:
    """The gradient of one argument, claimed and true, asked under other cotangents."""

    run: Run
    place: int
    got: Tensor
    true: Tensor

    def hypotheses(self) -> Iterator[Hypothesis]:
        ones = {i: torch.ones_like(c) for i, c in self.run.cotangents.items()}
        for_ones = self._claimed(ones)
        if for_ones is None:
            return
        if len(ones) > 1:
            yield from self._unheard_outputs()
        if same(for_ones, self.got):
            yield Hypothesis("ignores-grad-output", "the same gradient comes back for all ones")
        elif proportion(self.got, self.true) is None:
            told = self._beside_the_true_one(ones, for_ones)
            yield from self._hears_only(_one_number_kept, told)
            few = self.run.case.elements <= MANY
            if told and few:  # else it is the wrong entries that hear nothing
                yield from self._hears_only(_a_part_kept, told)

    def _hears_only(
        self, changes: Callable[[Tensor, Tensor], Iterator[Changed]], told: str
    ) -> Iterator[Hypothesis]:
        for i, c in self.run.cotangents.items():
            if c.is_complex():
                continue
            its = "" if len(self.run.cotangents) == 1 else f" of output {i}"
            for kept, changed in changes(c, FAR * draw_signed(c, self.run.generator())):
                if self._is_unheard({**self.run.cotangents, i: changed}):
                    evidence = f"of grad_output{its} {kept}: with all else changed "
                    yield Hypothesis("ignores-grad-output", f"{evidence}the same comes back{told}")
                    return

    def _unheard_outputs(self) -> Iterator[Hypothesis]:
        """Does each output's gradient count? Many a backward uses the first alone."""
        for i, cotangent in self.run.cotangents.items():
            if self._is_unheard({**self.run.cotangents, i: torch.zeros_like(cotangent)}):
                evidence = f"the gradient of output {i} takes no part: with zeros there the same "
                yield Hypothesis("ignores-grad-output", f"{evidence}comes back")

    def _claimed(self, cotangents: Cotangents) -> Tensor | None:
        return self.run.gradients_to(cotangents)[self.place]

    def _is_unheard(self, cotangents: Cotangents) -> bool:
        """Whether a change of grad_output leaves the gradient as it is, and should not."""
        got = self._claimed(cotangents)
        if got is None or not same(got, self.got):
            return False
        true = true_under(self.run, self.place, self.true, cotangents)
        return true is not None and not same(true, self.true)

    def _beside_the_true_one(self, ones: Cotangents, got: Tensor) -> str:
        """What the gradient is where grad_output says nothing; empty if it is wrong there too."""
        true = true_under(self.run, self.place, self.true, ones)
        ratio = None if true is None else proportion(got, true)
        if ratio is None:
            return ""
        factor = "right" if abs(ratio - 1) < SAME else f"{ratio:.6g} times the true one"
        return f"; where all entries are equal it is {factor}"


def _one_number_kept(c: Tensor, noise: Tensor) -> Iterator[Changed]:
    """Other cotangents that share with c one number alone: a sum, or an entry."""
    if c.numel() < 2:
        return
    yield "nothing enters", noise
    yield "only its sum enters", c + noise - noise.mean()
    for told, at, move in (
        ("only its first entry enters", 0, noise),
        ("only its last entry enters", -1, noise),
        ("only its largest entry enters", int(c.argmax()), -noise.abs()),
        ("only its smallest entry enters", int(c.argmin()), noise.abs()),
    ):
        other = (c + move).reshape(-1)
        other[at] = c.reshape(-1)[at]
        yield told, other.reshape(c.shape)


def _a_part_kept(c: Tensor, noise: Tensor) -> Iterator[Changed]:
    """Other cotangents that share with c the sums or one slice along a dimension."""
    for dim in range(c.dim() if c.dim() > 1 else 0):
        if c.shape[dim] < 2:
            continue
        yield f"only its sums over dimension {dim} enter", c + noise - noise.mean(dim, keepdim=True)
        for place, which in ((0, "first"), (-1, "last")):
            other = c + noise
            other.select(dim, place).copy_(c.select(dim, place))
            yield f"only its {which} slice along dimension {dim} enters", other
