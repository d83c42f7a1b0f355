"""Which layers are wrong: an error in backward spreads to all layers before it, to none after.

A layer z = a W + b has grad_W = aᵀδ and grad_b = Σδ, with δ the gradient of the loss in z.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor

from torchref.checker.causes.mismatch import Hypothesis, Mismatch
from torchref.checker.diagnosis.network.gradients import Page, Pattern

ALONG = 0.35  # cosine to the true gradient that a lost slope leaves: slopes are not negative
SLOPE_LOST = 1.8  # times too large at least, where a slope below ½ is missing
SLOPE_TWICE = 0.3  # times the true one at most, where a slope below ¼ is there twice
EVEN = 4.0  # layers behind one lost slope are off by factors no further apart
NEARBY = 0.1  # relative distance of gradients taken at weights one step further
BIASES = (("weight", "bias"), ("Weight", "Bias"), ("W", "b"), ("w", "b"), ("kernel", "bias"))


def own_input(page: Page) -> Iterator[Pattern]:
    """The bias is right, so δ is; the weight is wrong, so the a of aᵀδ is."""
    for name in page.unexplained:
        bias = _bias_of(page, name)
        if bias is not None and bias in page.right:
            told = f"{bias} is right, so the δ of this layer is; in aᵀδ it is the input a that is "
            yield Pattern(
                (name,),
                (
                    Hypothesis(
                        "missing-local-derivative",
                        f"{told}not the one of forward: z in place of a, or another layer's",
                    ),
                    Hypothesis("mutates-saved", f"{told}perhaps overwritten since forward"),
                ),
            )


def biases_alone(page: Page) -> Iterator[Pattern]:
    """Matrices right, vectors wrong: what sets them apart is the sum over the batch."""
    flat = all(page.trues[name].dim() < 2 for name in page.wrong)
    if flat and any(page.trues[name].dim() > 1 for name in page.right) and page.unexplained:
        yield Pattern(
            page.unexplained,
            (
                Hypothesis(
                    "missing-reduction",
                    "the matrices are right, so δ is: look at which dimension the biases are "
                    "summed over, and whether all rows enter",
                ),
            ),
        )


def earlier_layers(page: Page) -> Iterator[Pattern]:
    """Right from the output up to some layer and wrong before it: δ goes wrong on the way."""
    names = page.names
    split = _split(page, names) or _split(page, names[::-1])
    if split is None or not page.unexplained:
        return
    before, after = split
    told = f"{_listed(after)} right, {_listed(before)} wrong: δ goes wrong between "
    told += f"{after[0]} and {before[-1]} ({_alignment(page)}); "
    local = Hypothesis(
        "missing-local-derivative",
        "is the slope of the activation there, once, and of the right argument: "
        "σ′ = a (1 − a), not z (1 − z)?",
    )
    further = Hypothesis(
        "missing-term",
        "is it δ Wᵀ that is passed back, and is every path through the layer added?",
    )
    if _slope_lost(page) or _slope_twice(page):
        yield Pattern(page.unexplained, (_told(told, _slope(page)), further))
    elif all(_distance(wrong) < NEARBY for wrong in _vague(page)):
        moved = f"they nearly agree: were the weights of {after[0]} updated before δ passed "
        moved += "through them? Else a small term is absent"
        yield Pattern(page.unexplained, (_told(told, Hypothesis("missing-term", moved)), local))
    else:
        yield Pattern(page.unexplained, (_told(told, further), local))


def every_layer(page: Page) -> Iterator[Pattern]:
    """All wrong, by no common factor: the error sits where all paths begin."""
    if page.right or len(page.names) < 2 or not page.unexplained:
        return
    told = f"all {len(page.names)} gradients are wrong ({_alignment(page)}): the error sits where "
    told += "all paths begin, in the gradient of the loss or in the last activation; "
    term = Hypothesis(
        "missing-term",
        "do output and target have one shape, or do (N, 1) and (N,) broadcast to (N, N)?",
    )
    local = Hypothesis(
        "missing-local-derivative",
        "is the slope of the last activation there, once, and of the right argument?",
    )
    other = Hypothesis("forward-wrong", "is it the same loss, at the same values, on both sides?")
    if _slope_lost(page) or _slope_twice(page):
        yield Pattern(page.unexplained, (_told(told, _slope(page)), term))
    else:
        yield Pattern(page.unexplained, (_told(told, term), local, other))


def _told(first: str, hypothesis: Hypothesis) -> Hypothesis:
    """The likeliest cause carries what was seen."""
    return Hypothesis(hypothesis.cause, first + hypothesis.evidence)


def _slope(page: Page) -> Hypothesis:
    if _slope_lost(page):
        what = "an activation's slope is missing: that of a sigmoid is at most ¼, of a tanh 1"
    else:
        what = "an activation's slope is there twice, or is one too many, as behind a cross "
        what += "entropy, whose δ = a − y has it already: that of a sigmoid is at most ¼"
    return Hypothesis("missing-local-derivative", what)


def _split(page: Page, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Names that are wrong, then names that are right, if they come in this order."""
    wrong = [name in page.wrong for name in names]
    count = sum(wrong)
    if 0 < count < len(names) and all(wrong[:count]):
        return tuple(names[:count]), tuple(names[count:])
    return None


def _slope_lost(page: Page) -> bool:
    shares = [_share(wrong) for wrong in _vague(page)]
    along = all(cosine(wrong) > ALONG for wrong in _vague(page))
    return along and min(shares) > SLOPE_LOST and max(shares) < EVEN * min(shares)


def _slope_twice(page: Page) -> bool:
    along = all(cosine(wrong) > ALONG for wrong in _vague(page))
    return along and max(_share(wrong) for wrong in _vague(page)) < SLOPE_TWICE


def _vague(page: Page) -> list[Mismatch]:
    return [page.wrong[name] for name in page.unexplained]


def _alignment(page: Page) -> str:
    cosines = sorted(cosine(wrong) for wrong in _vague(page))
    shares = sorted(_share(wrong) for wrong in _vague(page))
    return f"cosine {_range(cosines)}, size along the true ones {_range(shares)}"


def _range(values: list[float]) -> str:
    low, high = f"{values[0]:.3g}", f"{values[-1]:.3g}"
    return low if low == high else f"{low} to {high}"


def cosine(wrong: Mismatch) -> float:
    """Of the angle between what was got and what is true."""
    return _inner(wrong) / (_norm(wrong.got) * _norm(wrong.true) or 1.0)


def _share(wrong: Mismatch) -> float:
    """The r for which r · true comes nearest to what was got."""
    return _inner(wrong) / (_norm(wrong.true) ** 2 or 1.0)


def _distance(wrong: Mismatch) -> float:
    return _norm(wrong.got - wrong.true) / (_norm(wrong.true) or 1.0)


def _inner(wrong: Mismatch) -> float:
    return float((wrong.got * wrong.true.conj()).real.sum())


def _norm(x: Tensor) -> float:
    return float(x.abs().square().sum().sqrt())


def _bias_of(page: Page, name: str) -> str | None:
    """The bias of a weight: by name, or the vector listed next to it."""
    true = page.trues[name]
    if true.dim() < 2:
        return None
    for weight, bias in BIASES:
        other = bias.join(name.rsplit(weight, 1))
        if other != name and other in page.trues and page.trues[other].dim() < 2:
            return other
    place = page.names.index(name)
    following = page.names[place + 1 : place + 2]
    if following and page.trues[following[0]].dim() == 1:
        return following[0] if len(page.trues[following[0]]) in true.shape else None
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 5 else f"{names[0]} to {names[-1]}"
