"""How well a network does, for people: in shares of right answers, not in losses."""

from torch import Tensor


def accuracy(output: Tensor, target: Tensor) -> float:
    """The share of rows whose class is found: the largest column, or a positive single logit.

    Shapes: output and target (N, C), with a one in the column of the right class, or (N, 1).

    >>> accuracy(torch.tensor([[0.9, 0.8], [0.1, 0.2]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    >>> accuracy(torch.tensor([[-3.0], [2.0]]), torch.tensor([[0.0], [1.0]]))
    1.0
    """
    if output.shape[1] == 1:
        right = (output > 0) == (target > 0.5)
    else:
        right = output.argmax(dim=1) == target.argmax(dim=1)
    return right.double().mean().item()


def r2(output: Tensor, target: Tensor) -> float:
    """The share of the target's variance that is explained: 1 − Σ (t − y)² / Σ (t − t̄)².

    >>> r2(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]]))
    0.5
    """
    left = ((target - output) ** 2).sum()
    return (1 - left / ((target - target.mean()) ** 2).sum()).item()
