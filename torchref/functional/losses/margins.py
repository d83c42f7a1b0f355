"""Losses that are nothing beyond a margin, under torch's signatures."""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    require,
    require_real_tensors,
    require_reduction,
    require_same_device,
    require_same_kind,
    require_tensor,
    shape,
    to_float32_under_autocast,
)
from torchref.functional.losses.reduction import TORCH_REDUCTIONS, reduced, reduced_losses
from torchref.ops import CosineEmbedding, HingeEmbedding, MarginRanking
from torchref.ops.op import widened


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """x for the target 1, and max(0, margin − x) for −1; see `torchref.ops.HingeEmbedding`.

    Shapes: input and target alike; target holds 1 and −1, in any dtype.

    >>> hinge_embedding_loss(torch.tensor([0.2, 0.2]), torch.tensor([1, -1]))
    tensor(0.5000)
    """
    name = "hinge_embedding_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(name, input=input)
    require_labels(name, target, input.shape, input=input)
    (chosen,) = to_float32_under_autocast(input)
    with autocast_off(chosen):
        losses = HingeEmbedding.call(widened(chosen), target, margin)
        return reduced(losses, None, reduction).to(chosen.dtype)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin − t (x − x′)), as torch's; see `torchref.ops.MarginRanking`.

    Shapes: all alike; target holds 1 where input1 is to be the larger, and −1 where input2 is.

    >>> margin_ranking_loss(torch.tensor([2.0]), torch.tensor([2.5]), torch.tensor([1.0]))
    tensor(0.5000)
    """
    name = "margin_ranking_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_tensor(name, "target", target)
    if not (target.is_floating_point() or target.is_complex()) and isinstance(input1, Tensor):
        target = target.to(input1.dtype)
    tensors = {"input1": input1, "input2": input2, "target": target}
    require_real_tensors(name, **tensors)
    require_same_shape(name, **tensors)
    return reduced_losses(name, MarginRanking, tensors, (margin,), None, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 − cos for the target 1, max(0, cos − margin) for −1; see `torchref.ops.CosineEmbedding`.

    Shapes: input1 and input2 (N, D) and target (N), or (D) and (); target holds 1 and −1, in any
    dtype.

    >>> x, other = torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])
    >>> cosine_embedding_loss(x, other, torch.tensor([1]))
    tensor(0.0400)
    """
    name = "cosine_embedding_loss"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(name, input1=input1, input2=input2)
    require_same_shape(name, input1=input1, input2=input2)
    require(
        input1.dim() in (1, 2),
        f"{name}: input1 and input2 must be vectors, (D) or (N, D)",
        f"they have shape {shape(input1)}",
        "Take other dimensions together: input1.flatten(0, -2).",
    )
    require_labels(name, target, input1.shape[:-1], input1=input1)
    chosen, other = to_float32_under_autocast(input1, input2)
    require_same_kind(name, input1=chosen, input2=other)
    with autocast_off(chosen):
        losses = CosineEmbedding.call(widened(chosen), widened(other), target, margin)
        return reduced(losses, None, reduction).to(chosen.dtype)


def require_same_shape(op: str, **tensors: Tensor) -> None:
    shapes = [shape(x) for x in tensors.values()]
    require(
        len(set(shapes)) == 1,
        f"{op}: {', '.join(tensors)} must have the same shape",
        f"they have {', '.join(map(str, shapes))}",
        "Expand the smaller: x.expand_as(other).",
    )


def require_labels(op: str, target: Tensor, expected: tuple[int, ...], **input: Tensor) -> None:
    """A 1 or −1 for each loss, of any dtype."""
    require_tensor(op, "target", target)
    (name,) = input
    require(
        target.shape == expected,
        f"{op}: target must have the shape {tuple(expected)}, a label for each loss",
        f"it has shape {shape(target)}, and {name} {shape(input[name])}",
        "(N, 1) against (N) would broadcast to (N, N): use target.reshape.",
    )
    require_same_device(op, **input, target=target)
