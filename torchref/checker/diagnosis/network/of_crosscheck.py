"""What the wrong gradients of one network show together, and none of them alone."""

from collections.abc import Mapping

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.diagnosis.network.gradients import Page, patterns
from torchref.checker.diagnosis.network.layers import cosine, earlier_layers, every_layer
from torchref.checker.execution.run import Run

MOSTLY = 0.5  # so much of a gradient is wrong, where no rule of its elements is looked for
LAYERS = (earlier_layers, every_layer)


def lost_slopes(
    run: Run, wrong: Mapping[str, Mismatch]
) -> tuple[tuple[str, ...], Hypothesis] | None:
    """A slope of an activation that is missing, or there twice, between the layers of a network.

    `wrong` are gradients that bear no mark of their own, by the arguments' names, in order.
    """
    if len(wrong) < 2 or not all(_everywhere(each) for each in wrong.values()):
        return None
    claims = dict(zip(run.case.argument_names, run.claimed, strict=True))
    trues = {name: wrong[name].true if name in wrong else claim for name, claim in claims.items()}
    for pattern in patterns(Page(trues, wrong, dict.fromkeys(wrong, ())), LAYERS):
        if pattern.hypotheses[0].cause == "missing-local-derivative":
            return pattern.names, pattern.hypotheses[0]
    return None


def all_vague(wrong: Mapping[str, Mismatch]) -> Hypothesis | None:
    """Several gradients of which nothing simple can be said: one mistake, likely, where they meet.

    `wrong` are gradients that bear no mark of their own, by the arguments' names, in order.
    """
    wide = [name for name, each in wrong.items() if each.fraction > MOSTLY and each.got.numel() > 1]
    if len(wide) < 2 or len(wide) < len(wrong):
        return None
    cosines = ", ".join(f"{name} {cosine(each):.4f}" for name, each in wrong.items())
    told = (
        "most entries of each differ, and no single factor explains it: likely one mistake where "
    )
    told += f"the paths to all of these begin; the cosines to the true gradients are {cosines}"
    return Hypothesis("missing-term", told)


def _everywhere(wrong: Mismatch) -> bool:
    """A slope that is lost is lost in every entry that is not 0 on both sides."""
    touched = (wrong.got != 0) | (wrong.true != 0)
    return bool((wrong.wrong | ~touched).all())
