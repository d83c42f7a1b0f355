"""The cross-entropy under torch's signature, of class numbers and of probabilities."""

from torch import Tensor

from torchref.functional.admission import (
    autocast_off,
    each_widened,
    given,
    require,
    require_real_tensors,
    require_reduction,
    require_same_device,
    require_same_kind,
    require_tensor,
    shape,
    to_float32_under_autocast,
)
from torchref.functional.losses.class_numbers import (
    class_dimension,
    over_counted,
    require_classes,
    require_numbers_exist,
)
from torchref.functional.losses.reduction import TORCH_REDUCTIONS, reduced
from torchref.ops import IndexCrossEntropy, SoftmaxCrossEntropy
from torchref.ops.op import widened

NAME = "cross_entropy"


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """−Σ t ln softmax(x), as `torch.nn.functional.cross_entropy`.

    See `torchref.ops.IndexCrossEntropy` for class numbers and `SoftmaxCrossEntropy` for
    probabilities.

    Shapes: input (C), (N, C) or (N, C, ...). target is either the number of the right class, of
    an integer dtype and the shape of input without C, or a probability for each class, in the
    shape of input. weight (C) weighs the classes; rows whose class number is `ignore_index` do
    not count. The mean over class numbers is divided by the weights of those that count.

    >>> cross_entropy(torch.tensor([[0.0, 0.0], [0.0, 1e4]]), torch.tensor([1, 0]))
    tensor(5000.3467)
    """
    require_reduction(NAME, reduction, TORCH_REDUCTIONS, size_average, reduce)
    require_real_tensors(NAME, input=input, **given(weight=weight))
    require_tensor(NAME, "target", target)
    by_number = not target.is_floating_point()
    require_target(input, target, by_number)
    dim = require_classes(NAME, input, weight)
    require_options(ignore_index, label_smoothing, by_number)
    classes = input.shape[dim]
    if by_number:
        require_numbers_exist(NAME, target, classes, ignore_index)
        input, weight = to_float32_under_autocast(input, weight)
        require_same_kind(NAME, input=input, weight=weight)
        require_same_device(NAME, input=input, target=target)
    else:
        input, weight, target = to_float32_under_autocast(input, weight, target)
        require_same_kind(NAME, input=input, target=target, weight=weight)
    logits, wide = each_widened(input, weight)
    logits = logits.movedim(dim, -1)
    with autocast_off(input):
        if by_number:
            number = target.long()
            losses = IndexCrossEntropy.call(logits, number, wide, ignore_index, label_smoothing)
            y = over_counted(losses, number, wide, ignore_index, reduction)
        else:
            chances = widened(target).movedim(dim, -1)
            smoothed = (1 - label_smoothing) * chances + label_smoothing / classes
            weighed = smoothed if wide is None else smoothed * wide
            y = reduced(SoftmaxCrossEntropy.call(logits, weighed), None, reduction)
        return y.to(input.dtype)


def require_target(input: Tensor, target: Tensor, by_number: bool) -> None:
    require(
        not target.is_complex(),
        f"{NAME}: target must hold class numbers or probabilities",
        f"it is {target.dtype}",
        "Class numbers are integers: target.real.long().",
    )
    dim = class_dimension(input)
    without_classes = (*input.shape[:dim], *input.shape[dim + 1 :])
    require(
        target.shape == (without_classes if by_number else input.shape),
        f"{NAME}: target must hold class numbers in the shape of input without its classes, or "
        "probabilities in the shape of input",
        f"input has shape {shape(input)} and target {shape(target)}, of {target.dtype}",
        "Class numbers are target.long(); logits are (N, C, ...), the classes second.",
    )


def require_options(ignore_index: int, label_smoothing: float, by_number: bool) -> None:
    require(
        by_number or ignore_index < 0,
        f"{NAME}: ignore_index must be left out where target holds probabilities",
        f"it is {ignore_index}",
        "Rows of zeros in target have no loss.",
    )
    require_smoothing(NAME, label_smoothing)


def require_smoothing(op: str, label_smoothing: float) -> None:
    require(
        0 <= label_smoothing <= 1,
        f"{op}: label_smoothing must lie in [0, 1]",
        f"it is {label_smoothing}",
        "0.1 is usual.",
    )
