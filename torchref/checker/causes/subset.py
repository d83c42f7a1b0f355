"""Right in most entries and wrong in some: which rule describes the wrong ones?"""

from collections.abc import Iterator
from itertools import combinations

import torch
from torch import Tensor

from torchref.checker.causes.factor import common_factor, proportion
from torchref.checker.causes.mismatch import Mismatch

FEW = 3  # entries on either side of a bound: fewer are set apart by chance
MOSTLY = 0.8  # so much of what a rule describes must be wrong, and of what is right be left out
MOST_SUBTRACTED = 3  # arguments, of which the differences are tried too


def some_entries(wrong: Mismatch) -> Iterator[str]:
    """What the entries that are wrong have in common, and no other."""
    for rule, described in _rules(wrong) if _is_partly_right(wrong) else ():
        if _describes(described, wrong.wrong):
            yield f"{_count(wrong)}: {rule}{_factor(wrong)}"
            return


def all_but_some(wrong: Mismatch) -> Iterator[str]:
    """Most entries are wrong, and those that are right stand together: a cause may be behind it."""
    for rule, described in _by_position(~wrong.wrong) if _is_partly_right(wrong) else ():
        if not _is_minority(~described) and bool((described == ~wrong.wrong).all()):
            yield f"{_count(wrong)}: all but {rule}"
            return


def scattered(wrong: Mismatch) -> Iterator[str]:
    """A minority of the entries, described by no rule."""
    if 0 < wrong.fraction <= 0.5:
        where = ", ".join(str(tuple(map(int, i))) for i in wrong.wrong.nonzero()[:5])
        yield f"{_count(wrong)}, the first at {where}"


def _is_partly_right(wrong: Mismatch) -> bool:
    """Where one factor fits all entries, those that agree are 0."""
    return 0.0 < wrong.fraction < 1.0 and common_factor(wrong) is None


def follows_an_index(wrong: Mismatch) -> bool:
    """Whether what is wrong are the entries that an integer argument tells from the others."""
    return any(_describes(described, wrong.wrong) for _, described in _by_index(wrong))


def rule_of_position(wrong: Tensor) -> str:
    """The slices that hold all that is wrong and nothing right; empty where there are none."""
    rules = [rule for rule, described in _by_position(wrong) if bool((described == wrong).all())]
    return rules[0] if rules else ""


def _count(wrong: Mismatch) -> str:
    return f"{int(wrong.wrong.sum())} of {wrong.wrong.numel()} entries"


def _factor(wrong: Mismatch) -> str:
    """What the wrong entries have in common, if it is one factor."""
    got, true = wrong.got[wrong.wrong], wrong.true[wrong.wrong]
    ratio = proportion(got, true, wrong.rounding) if len(got) >= FEW else None
    return "" if ratio is None else f", each {ratio:.6g} times the true one"


def _is_minority(described: Tensor) -> bool:
    return 2 * int(described.sum()) <= described.numel()


def _describes(described: Tensor, wrong: Tensor) -> bool:
    """All that is wrong, and little else: by chance an entry of it may be right."""
    if bool((wrong & ~described).any()):
        return False
    beside = int((described & ~wrong).sum())
    hits, spared = int(wrong.sum()), int((~described).sum())
    return hits >= MOSTLY * (hits + beside) and spared >= MOSTLY * (spared + beside)


def _rules(wrong: Mismatch) -> Iterator[tuple[str, Tensor]]:
    """Descriptions of subsets of the entries, the most telling first."""
    shape = wrong.wrong.shape
    yield from _by_index(wrong)
    for name, mask in wrong.masks.items():
        if mask.shape == shape:
            yield f"where {name} is True", mask
            yield f"where {name} is False", ~mask
    for name, value in wrong.values.items():
        if value.shape == shape and not value.is_complex():
            yield f"where {name} is 0", value == 0
            yield f"where {name} ties with another entry", _tied(value)
            if value.dim() and value.shape[-1] > 1:
                row_tied = _tied_in_row(value)
                yield f"where {name} ties within its last dimension", row_tied
            yield f"where {name} is negative", value < 0
            yield f"where {name} is positive", value > 0
            yield f"where {name} is infinite", torch.isinf(value)
    positions = [each for each in _by_position(wrong.wrong) if _is_minority(each[1])]
    whole = [each for each in positions if int(each[1].sum()) >= FEW]
    yield from whole  # which a bound that the entries themselves give, fits as well
    for name, value in wrong.values.items():
        if value.shape == shape and not value.is_complex():
            for edge in (1.0, 3.0, 6.0):
                yield f"where |{name}| is at least {edge:g}", value.abs() >= edge
            yield f"where {name} is extreme", value.abs() >= 1e3
            yield from _beyond(wrong.wrong, value, name)
    for (one, a), (other, b) in combinations(_alike(wrong), 2) if _is_minority(wrong.wrong) else ():
        yield from _beyond(wrong.wrong, a - b, f"{one} − {other}")
    yield from positions


def _alike(wrong: Mismatch) -> list[tuple[str, Tensor]]:
    """The first of the values that could be subtracted from each other, entry by entry."""
    values = wrong.values.items()
    fit = [(n, x) for n, x in values if x.shape == wrong.wrong.shape and not x.is_complex()]
    return fit[:MOST_SUBTRACTED]


def _beyond(wrong: Tensor, value: Tensor, name: str) -> Iterator[tuple[str, Tensor]]:
    """The entries beyond a bound that the wrong ones themselves give, if a few are and are not."""
    if not FEW <= int(wrong.sum()) <= wrong.numel() - FEW:
        return
    for what, x in ((f"|{name}|", value.abs()), (name, value)):
        low, high = float(x[wrong].min()), float(x[wrong].max())
        yield f"where {what} is at least {low:.4g}", x >= low
        yield f"where {what} is at most {high:.4g}", x <= high


def _tied(value: Tensor) -> Tensor:
    _, group, count = torch.unique(value, return_inverse=True, return_counts=True)
    return count[group] > 1


def _tied_in_row(value: Tensor) -> Tensor:
    order = value.sort(dim=-1)
    equal = order.values[..., 1:] == order.values[..., :-1]
    tied = torch.zeros_like(value, dtype=torch.bool)
    tied[..., 1:] |= equal
    tied[..., :-1] |= equal
    return torch.zeros_like(tied).scatter(-1, order.indices, tied)


def _by_index(wrong: Mismatch) -> Iterator[tuple[str, Tensor]]:
    """Rows that an integer argument names never, once, or more than once."""
    shape = wrong.wrong.shape
    for name, index in wrong.indices.items():
        if not shape or not index.numel():
            continue
        flat = index.reshape(-1)
        for dim in range(min(len(shape), 2)):
            inside = flat[(flat >= 0) & (flat < shape[dim])].long()
            count = torch.bincount(inside, minlength=shape[dim])
            for rule, rows in (
                (f"rows that {name} names more than once", count > 1),
                (f"rows that {name} names", count > 0),
                (f"rows that {name} does not name", count == 0),
            ):
                if bool(rows.any()) and not bool(rows.all()):
                    yield rule, _along(rows, dim, shape)
        yield from _by_index_within_lines(name, index, shape)
        negative = index < 0
        if index.shape == shape[: index.dim()] and bool(negative.any()):
            rule = f"where {name} is negative (ignored)"
            padded = negative.shape + (1,) * (len(shape) - index.dim())
            yield (
                rule,
                negative.reshape(padded).expand(shape),
            )


def _by_index_within_lines(
    name: str, index: Tensor, shape: torch.Size
) -> Iterator[tuple[str, Tensor]]:
    """Entries that an index of as many dimensions names, line by line, as gather takes it."""
    for dim in range(len(shape)) if 1 < index.dim() == len(shape) else ():
        within = all(index.shape[d] <= shape[d] for d in range(len(shape)) if d != dim)
        if within and bool(((index >= 0) & (index < shape[dim])).all()):
            count = torch.zeros(shape, dtype=torch.long, device=index.device)
            count.scatter_add_(dim, index.long(), torch.ones_like(index, dtype=torch.long))
            yield f"entries that {name} names more than once along dimension {dim}", count > 1
            yield f"entries that {name} names along dimension {dim}", count > 0
            yield f"entries that {name} does not name along dimension {dim}", count == 0


def _by_position(wrong: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Entries whose index along one dimension is first, last, or beyond some n."""
    for dim in range(wrong.dim()):
        size = wrong.shape[dim]
        if size < 2:
            continue
        others = tuple(d for d in range(wrong.dim()) if d != dim)
        touched = wrong.any(dim=others) if others else wrong
        places = touched.nonzero().reshape(-1)
        first, last = int(places[0]), int(places[-1])
        where = torch.arange(size, device=wrong.device)
        if last == size - 1 and first > 0:
            what = "the last" if first == last else f"index {first} and beyond"
            yield f"{what} along dimension {dim}", _along(where >= first, dim, wrong.shape)
        elif first == 0 and last < size - 1:
            what = "the first" if first == last else f"indices 0 … {last}"
            yield f"{what} along dimension {dim}", _along(where <= last, dim, wrong.shape)
        elif first > 0:
            what = f"index {first}" if first == last else f"indices {first} … {last}"
            inside = (where >= first) & (where <= last)
            yield f"{what} along dimension {dim}", _along(inside, dim, wrong.shape)


def _along(rows: Tensor, dim: int, shape: torch.Size) -> Tensor:
    view = [1] * len(shape)
    view[dim] = shape[dim]
    return rows.reshape(view).expand(shape)
