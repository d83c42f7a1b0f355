"""Gradients sent to the wrong rows: top-k positions, short indices, segments with gaps."""

import torch
from torch.autograd import Function
from torch.nn import functional as F

from .planted import PlantedBug, SavesInputs, indices, leaf, normal, normals


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


class LargestTwoAtPartitionPositions(LargestTwo):
    """Scatters to the positions in the result, not to those in x."""

    @staticmethod
    def backward(ctx, grad_values, _):
        x, positions = ctx.saved_tensors
        result_positions = torch.arange(2).expand_as(positions)
        return torch.zeros_like(x).scatter(-1, result_positions, grad_values)


def scatter_add_rows(x, index, source):
    """y[index[i, j], j] += source[i, j]; source may reach beyond index, where it is not read."""
    return x.scatter_add(0, index, source[: index.shape[0], : index.shape[1]])


class ScatterAdd(SavesInputs):
    """x with the entries of source added where index points."""

    @staticmethod
    def forward(x, index, source):
        return scatter_add_rows(x, index, source)

    @staticmethod
    def backward(ctx, grad_y):
        _, index, source = ctx.saved_tensors
        gathered = grad_y.gather(0, index)
        missing_columns = source.shape[1] - index.shape[1]
        missing_rows = source.shape[0] - index.shape[0]
        return grad_y, None, F.pad(gathered, (0, missing_columns, 0, missing_rows))


class ScatterAddBroadcastingIndex(ScatterAdd):
    """Rows of source beyond index receive the gathered gradient instead of zero."""

    @staticmethod
    def backward(ctx, grad_y):
        _, index, source = ctx.saved_tensors
        return grad_y, None, grad_y.gather(0, index).expand_as(source)


def segment_means(x, bounds):
    lengths = (bounds[1:] - bounds[:-1]).tolist()
    covered = x[bounds[0] : bounds[-1]]
    rows = [part.sum(0) / max(len(part), 1) for part in covered.split(lengths)]
    return torch.stack(rows)


class SegmentMeans(SavesInputs):
    """Row s of y is the mean of x[bounds[s] : bounds[s + 1]], zero for an empty segment."""

    @staticmethod
    def forward(x, bounds):
        return segment_means(x, bounds)

    @staticmethod
    def backward(ctx, grad_y):
        x, bounds = ctx.saved_tensors
        lengths = bounds[1:] - bounds[:-1]
        shares = grad_y / lengths.clamp(min=1).unsqueeze(-1)
        covered = shares.repeat_interleave(lengths, 0)
        return F.pad(covered, (0, 0, int(bounds[0]), len(x) - int(bounds[-1]))), None


class SegmentMeansOfCoveredRows(SegmentMeans):
    """Rows outside all segments are missing from the gradient."""

    @staticmethod
    def backward(ctx, grad_y):
        _, bounds = ctx.saved_tensors
        lengths = bounds[1:] - bounds[:-1]
        return (grad_y / lengths.unsqueeze(-1)).repeat_interleave(lengths, 0), None


class SegmentMeansDividingByEmpty(SegmentMeans):
    """Shares out every segment, 0 · (1 / 0) = NaN for an empty one."""

    @staticmethod
    def backward(ctx, grad_y):
        x, bounds = ctx.saved_tensors
        rows = torch.arange(len(x)).unsqueeze(-1)
        member = ((rows >= bounds[:-1]) & (rows < bounds[1:])).to(grad_y.dtype)
        return (member / member.sum(0)) @ grad_y, None


def scatter_with_rows(index_rows):
    def draw(generator):
        index = indices(generator, 5, index_rows, 3)
        return normal(generator, 5, 3), index, normal(generator, 4, 3)

    return draw


def all_rows_in_segments(generator):
    return normal(generator, 7, 3), torch.tensor([0, 2, 5, 7])


def rows_outside_segments(generator):
    return normal(generator, 7, 3), torch.tensor([0, 2, 2, 5])


def empty_segment(generator):
    return normal(generator, 7, 3), torch.tensor([0, 3, 3, 7])


def largest_first(generator):
    return (leaf(normal(generator, 4, 5).sort(-1, descending=True).values),)


BUGS = (
    PlantedBug(
        name="topk scatters to the positions in the result",
        wrong=LargestTwoAtPartitionPositions,
        right=LargestTwo,
        reference=lambda x: tuple(x.topk(2, -1)),
        ordinary=normals((4, 6)),
        tripping=normals((4, 6)),
        causes=("wrong-elements", "missing-term"),
        source="ml-explore/mlx#1428",
    ),
    PlantedBug(
        name="topk is checked with rows already in order",
        wrong=LargestTwoAtPartitionPositions,
        right=LargestTwo,
        reference=lambda x: tuple(x.topk(2, -1)),
        ordinary=largest_first,
        tripping=normals((4, 5)),
        causes=("wrong-elements", "missing-term"),
        source="ml-explore/mlx#1428",
    ),
    PlantedBug(
        name="scatter_add broadcasts a short index",
        wrong=ScatterAddBroadcastingIndex,
        right=ScatterAdd,
        reference=scatter_add_rows,
        ordinary=scatter_with_rows(4),
        tripping=scatter_with_rows(1),
        causes=("wrong-elements",),
        source="pytorch/pytorch#188843",
    ),
    PlantedBug(
        name="segment mean returns covered rows only",
        wrong=SegmentMeansOfCoveredRows,
        right=SegmentMeans,
        reference=segment_means,
        ordinary=all_rows_in_segments,
        tripping=rows_outside_segments,
        causes=("wrong-shape", "raises"),
        source="rusty1s/pytorch_scatter#118",
    ),
    PlantedBug(
        name="segment mean divides by an empty segment",
        wrong=SegmentMeansDividingByEmpty,
        right=SegmentMeans,
        reference=segment_means,
        ordinary=all_rows_in_segments,
        tripping=empty_segment,
        causes=("not-finite",),
        source="rusty1s/pytorch_scatter#452",
    ),
)
