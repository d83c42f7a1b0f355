"""What a probe finds in a candidate, at inputs that suit any."""

from tests.checker.given import gradients_in, normal, run_of
from tests.corpora.wrong_ops import right_rules

X, Y = normal(4, 3), normal(4, 3, seed=1)


class Square(right_rules.Square):
    generate_vmap_rule = True


square_with = gradients_in(Square)


def found(probe, candidate, *inputs, reference=None) -> list[tuple[str, str | None]]:
    outcome = probe(run_of(candidate, reference, *(inputs or (X,))))
    assert not outcome.skipped, outcome.skipped
    return [(finding.cause, finding.argument) for finding in outcome.findings]
