"""A wrong gradient is often the right answer to another question: which one?"""

from collections.abc import Iterator

from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis
from torchref.checker.causes.questions import slice_of
from torchref.checker.causes.table import CAUSES
from torchref.checker.diagnosis.experiments.true_gradient import gradient_of, knowing
from torchref.checker.execution.arithmetic import same
from torchref.checker.execution.run import Run
from torchref.checker.execution.subject import Subject

MANY = 20_000  # elements; above it each question takes long, and only the likelier are asked


def questions_answered(run: Run, place: int, got: Tensor, true: Tensor) -> Iterator[Hypothesis]:
    """The causes for which `got` is the reference's gradient of one argument elsewhere.

    Without a reference the candidate's own forward answers, if its gradient here is `true`.
    """
    answers = knowing(run, place, true)
    if answers is None:
        return
    few = run.case.elements <= MANY
    for name, cause in CAUSES.items():
        for ask in (*cause.asks, *cause.asks_of_few) if few else cause.asks:
            for question in ask(run):
                answer = gradient_of(answers, question.case, question.cotangents, place)
                if answer is not None and same(got, answer):
                    dim = question.spread_along
                    spread = dim is None or _is_spread(run, answers, place, dim)
                    yield Hypothesis(name if spread else "missing-term", question.evidence)
                    break


def _is_spread(run: Run, answers: Subject, place: int, dim: int) -> bool:
    """Whether a slice of the output comes of one slice of each other input that has as many.

    Then what they share is spread over them, and its gradient is a sum over the slices. In a
    recurrence it is not: there the last one comes of all before it.
    """
    if len(run.cotangents) != 1:
        return True
    i, c = next(iter(run.cotangents.items()))
    size = c.shape[dim]
    for other, x in enumerate(run.case.arguments):
        dims = [each for each in range(x.dim()) if x.shape[each] == size]
        for index in (0, -1) if dims and other != place else ():
            gradient = gradient_of(answers, run.case, {i: slice_of(c, dim, index)}, other)
            if gradient is None:
                continue
            slices = [gradient.movedim(each, 0).reshape(size, -1).any(dim=1) for each in dims]
            if min(int(touched.sum()) for touched in slices) > 1:
                return False
    return True
