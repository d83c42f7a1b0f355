"""Losses of probabilities under torch's signatures: the log loss, also of logits, and KL."""

from torch import Tensor

from torchref.functional.admission import (
    require_matching_losses,
    require_reduction,
    require_unit_interval,
)
from torchref.functional.losses.reduction import TORCH_REDUCTIONS, reduced_losses
from torchref.ops import KLDivergence, LogLoss, LogLossWithLogits


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """The log loss of probabilities, as torch's; see `torchref.ops.LogLoss`.

    Shapes: input and target alike, weight broadcastable to them. Entries of input and target
    lie in [0, 1]. Unlike torch's it is differentiable in `weight`, and under CUDA autocast it
    runs in float32 where torch's refuses.

    >>> binary_cross_entropy(torch.tensor([0.5, 0.8]), torch.tensor([1.0, 1.0]))
    tensor(0.4581)
    """
    name = "binary_cross_entropy"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_matching_losses(name, input, target, weight=weight)
    require_unit_interval(name, input=input, target=target)
    return reduced_losses(name, LogLoss, {"input": input, "target": target}, (), weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The log loss of logits, as torch's; see `torchref.ops.LogLossWithLogits`.

    Shapes: input and target alike, weight and pos_weight broadcastable to them. Entries of
    target lie in [0, 1]. Unlike torch's it is differentiable in `weight`.

    >>> binary_cross_entropy_with_logits(torch.tensor([0.0, 1e4]), torch.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    name = "binary_cross_entropy_with_logits"
    require_reduction(name, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_matching_losses(name, input, target, weight=weight, pos_weight=pos_weight)
    require_unit_interval(name, target=target)
    tensors = {"input": input, "target": target, "pos_weight": pos_weight}
    return reduced_losses(name, LogLossWithLogits, tensors, (), weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """t (ln t − x) of logarithms x, as `torch.nn.functional.kl_div`; see `ops.KLDivergence`.

    Shapes: input and target alike; target holds probabilities, or with `log_target` their
    logarithms. "batchmean" divides the sum by the size of the first dimension: it is the divergence
    of the mathematicians, where "mean" divides by the number of entries.

    >>> kl_div(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    name = "kl_div"
    require_reduction(name, reduction, (*TORCH_REDUCTIONS, "batchmean"), size_average, reduce)
    require_matching_losses(name, input, target)
    tensors, rows = {"input": input, "target": target}, 1
    if reduction == "batchmean":
        reduction, rows = "sum", input.shape[0] if input.dim() else 1
    options = (log_target,)
    return reduced_losses(name, KLDivergence, tensors, options, None, reduction, divisor=rows)
