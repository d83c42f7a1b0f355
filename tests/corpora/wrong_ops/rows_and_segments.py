"""Gradients sent to the wrong rows: top-k positions, short indices, segments with gaps."""

from dataclasses import replace

import torch
from torch.autograd import Function
from torch.nn import functional as F

from tests.random_inputs import indices, leaf, normal, normals

from .planted import at, wrong_backward, wrong_function
from .rule import gradients_of


class LargestTwo(Function):
    """The two largest of each row, and where they are."""

    @staticmethod
    def forward(x):
        values, positions = x.topk(2, -1)
        return values, positions

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, grad_values, _):
        x, positions = ctx.saved_tensors
        return torch.zeros_like(x).scatter(-1, positions, grad_values)


@wrong_function(LargestTwo, "wrong-elements", "missing-term", source="ml-explore/mlx#1428")
@at(normals((4, 6)))
class TopkScattersToThePositionsInTheResult(LargestTwo):
    """Scatters to the positions in the result, not to those in x."""

    @staticmethod
    def backward(ctx, grad_values, _):
        x, positions = ctx.saved_tensors
        result_positions = torch.arange(2).expand_as(positions)
        return torch.zeros_like(x).scatter(-1, result_positions, grad_values)


def largest_first(generator):
    return (leaf(normal(generator, 4, 5).sort(-1, descending=True).values),)


topk_is_checked_with_rows_already_in_order = replace(
    TopkScattersToThePositionsInTheResult,
    name="topk is checked with rows already in order",
    ordinary=largest_first,
    tripping=normals((4, 5)),
)


def scatter_add_rows(x, index, source):
    """y[index[i, j], j] += source[i, j]; source may reach beyond index, where it is not read."""
    return x.scatter_add(0, index, source[: index.shape[0], : index.shape[1]])


@gradients_of(scatter_add_rows)
def ScatterAdd(grad_y, x, index, source):
    """x with the entries of source added where index points."""
    gathered = grad_y.gather(0, index)
    missing_columns = source.shape[1] - index.shape[1]
    missing_rows = source.shape[0] - index.shape[0]
    return grad_y, None, F.pad(gathered, (0, missing_columns, 0, missing_rows))


def scatter_with_rows(index_rows):
    def draw(generator):
        index = indices(generator, 5, index_rows, 3)
        return normal(generator, 5, 3), index, normal(generator, 4, 3)

    return draw


@wrong_backward(ScatterAdd, "wrong-elements", source="pytorch/pytorch#188843")
@at(scatter_with_rows(4), tripping=scatter_with_rows(1))
def scatter_add_broadcasts_a_short_index(grad_y, x, index, source):
    """Rows of source beyond index receive the gathered gradient instead of zero."""
    return grad_y, None, grad_y.gather(0, index).expand_as(source)


def segment_means(x, bounds):
    lengths = (bounds[1:] - bounds[:-1]).tolist()
    covered = x[bounds[0] : bounds[-1]]
    rows = [part.sum(0) / max(len(part), 1) for part in covered.split(lengths)]
    return torch.stack(rows)


@gradients_of(segment_means)
def SegmentMeans(grad_y, x, bounds):
    """Row s of y is the mean of x[bounds[s] : bounds[s + 1]], zero for an empty segment."""
    lengths = bounds[1:] - bounds[:-1]
    shares = grad_y / lengths.clamp(min=1).unsqueeze(-1)
    covered = shares.repeat_interleave(lengths, 0)
    return F.pad(covered, (0, 0, int(bounds[0]), len(x) - int(bounds[-1]))), None


def all_rows_in_segments(generator):
    return normal(generator, 7, 3), torch.tensor([0, 2, 5, 7])


def rows_outside_segments(generator):
    return normal(generator, 7, 3), torch.tensor([0, 2, 2, 5])


@wrong_backward(SegmentMeans, "wrong-shape", "raises", source="rusty1s/pytorch_scatter#118")
@at(all_rows_in_segments, tripping=rows_outside_segments)
def segment_mean_returns_covered_rows_only(grad_y, x, bounds):
    """Rows outside all segments are missing from the gradient."""
    lengths = bounds[1:] - bounds[:-1]
    return (grad_y / lengths.unsqueeze(-1)).repeat_interleave(lengths, 0), None


def empty_segment(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 3, 7])


@wrong_backward(SegmentMeans, "not-finite", source="rusty1s/pytorch_scatter#452")
@at(all_rows_in_segments, tripping=empty_segment)
def segment_mean_divides_by_an_empty_segment(grad_y, x, bounds):
    """Shares out every segment, 0 · (1 / 0) = NaN for an empty one."""
    rows = torch.arange(len(x)).unsqueeze(-1)
    member = ((rows >= bounds[:-1]) & (rows < bounds[1:])).to(grad_y.dtype)
    return (member / member.sum(0)) @ grad_y, None
