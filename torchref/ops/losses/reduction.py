"""How one value is made of the losses of all entries: there lectures and torch differ."""

from torchref.ops.op import Op, save

REDUCTIONS = ("none", "sum", "mean", "half_sum", "half_mean")


def divisor(entries: int, reduction: str) -> int:
    """The d of the table in `Reduction`."""
    return {"mean": entries, "half_sum": 2, "half_mean": 2 * entries}.get(reduction, 1)


class Reduction(Op):
    r"""y = Σ w x / d, with the divisor d of the convention; "none" leaves y = w x.

    | reduction   | d   | used by                      |
    | ----------- | --- | ---------------------------- |
    | "sum"       | 1   | lecture 002, torch           |
    | "mean"      | n   | torch's default              |
    | "half_sum"  | 2   | lecture 003 for one example  |
    | "half_mean" | 2 n | lecture 003 for m examples   |

    n is the number of entries of x, whatever the weight. The half is there to cancel the 2 that
    a square leaves behind.

    Derivation: ∂y/∂x = w / d and ∂y/∂w = x / d, entry by entry; a weight that was broadcast
    takes the sum over the entries that it served.
    Shapes: x any, weight broadcastable to x or None; y a scalar, or like x for "none".
    Saves x and weight, and without a weight nothing but the shape of x.
    Source: lectures 002 and 003; `reduction=` of torch's losses.

    >>> Reduction.call(torch.tensor([1.0, 2.0, 6.0]), None, "half_mean")
    tensor(1.5000)
    """

    @staticmethod
    def forward(x, weight, reduction):
        weighted = x if weight is None else weight * x
        match reduction:
            case "none":
                return x.clone() if weight is None else weighted
            case "sum":
                return weighted.sum()
            case "mean":
                return weighted.mean()
            case "half_sum":
                return weighted.sum() / 2
            case "half_mean":
                return weighted.mean() / 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, weight, reduction = inputs
        ctx.shape = x.shape
        ctx.divisor = divisor(x.numel(), reduction)
        ctx.reduction = reduction
        saved = (None, None) if weight is None else (x, weight)
        save(ctx, *saved)

    @staticmethod
    def backward(ctx, grad_y):
        x, weight = ctx.saved_tensors
        need_x, need_weight, _ = ctx.needs_input_grad
        grad_weighted = (grad_y / ctx.divisor).expand(ctx.shape)
        grad_x = grad_weight = None
        if need_x:
            grad_x = grad_weighted if weight is None else grad_weighted * weight
        if need_weight:
            grad_weight = (grad_weighted * x).sum_to_size(weight.shape)
        return grad_x, grad_weight, None  # reduction

    @staticmethod
    def tangent(ctx, dx, dweight, _):
        x, weight = ctx.saved_tensors
        dweighted = dx if weight is None else weight * dx + dweight * x
        return Reduction.forward(dweighted, None, ctx.reduction)
