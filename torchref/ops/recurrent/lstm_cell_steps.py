"""The LSTM cell forward and backward one step at a time, every intermediate by name.

This is the long way to what `LSTMCell` collapses, to hold a kernel to that goes wrong on the way. A
plain function: autograd is not asked, and nothing is saved.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from torchref.ops.linear.affine import rows


class LSTMCellSteps(NamedTuple):
    """What `lstm_cell_steps` goes through, in its order; each is named as in the code."""

    gates: Tensor
    input_gate: Tensor
    forget_gate: Tensor
    candidate: Tensor
    output_gate: Tensor
    next_c: Tensor
    read: Tensor
    next_h: Tensor
    grad_output_gate: Tensor
    grad_read: Tensor
    grad_next_c: Tensor
    grad_forget_gate: Tensor
    grad_c: Tensor
    grad_input_gate: Tensor
    grad_candidate: Tensor
    grad_gates: Tensor
    grad_h: Tensor
    grad_weight: Tensor
    grad_bias: Tensor | None

    @property
    def y(self) -> Tensor:
        return torch.cat((self.next_h, self.next_c), -1)

    @property
    def grad_x(self) -> Tensor:
        """x is added to the gates."""
        return self.grad_gates

    @property
    def grad_state(self) -> Tensor:
        return torch.cat((self.grad_h, self.grad_c), -1)


def lstm_cell_steps(
    x: Tensor, state: Tensor, weight: Tensor, bias: Tensor | None, grad_y: Tensor
) -> LSTMCellSteps:
    """`LSTMCell` and its backward, step by step; the arguments are those of its forward.

    >>> x, state = torch.tensor([0.0, 1e4, 0.0, 1e4]), torch.tensor([0.0, 0.5])
    >>> steps = lstm_cell_steps(x, state, torch.zeros(4, 1), None, torch.tensor([1.0, 0.0]))
    >>> steps.forget_gate, steps.next_c, steps.grad_c
    (tensor([1.]), tensor([0.5000]), tensor([0.7864]))
    """
    h, c = state.chunk(2, -1)
    gates = x + h @ weight.T
    if bias is not None:
        gates = gates + bias
    of_i, of_f, of_g, of_o = gates.chunk(4, -1)
    input_gate, forget_gate = torch.sigmoid(of_i), torch.sigmoid(of_f)
    candidate, output_gate = torch.tanh(of_g), torch.sigmoid(of_o)
    next_c = forget_gate * c + input_gate * candidate
    read = torch.tanh(next_c)
    next_h = output_gate * read

    grad_next_h, grad_next_c = grad_y.chunk(2, -1)
    # next_h = output_gate · read
    grad_output_gate = grad_next_h * read
    grad_read = grad_next_h * output_gate
    # read = tanh next_c, which has another use: it goes on to the next step
    grad_next_c = grad_next_c + grad_read * (1 - read**2)
    # next_c = forget_gate · c + input_gate · candidate
    grad_forget_gate = grad_next_c * c
    grad_c = grad_next_c * forget_gate
    grad_input_gate = grad_next_c * candidate
    grad_candidate = grad_next_c * input_gate
    # input_gate, forget_gate and output_gate are sigmoids, and candidate is a tanh
    grad_gates = torch.cat(
        (
            grad_input_gate * input_gate * (1 - input_gate),
            grad_forget_gate * forget_gate * (1 - forget_gate),
            grad_candidate * (1 - candidate**2),
            grad_output_gate * output_gate * (1 - output_gate),
        ),
        -1,
    )
    # gates = x + h Wᵀ + b, where weight and bias are used by every row
    grad_h = grad_gates @ weight
    grad_weight = rows(grad_gates).T @ rows(h)
    grad_bias = None if bias is None else rows(grad_gates).sum(0)

    return LSTMCellSteps(
        gates,
        input_gate,
        forget_gate,
        candidate,
        output_gate,
        next_c,
        read,
        next_h,
        grad_output_gate,
        grad_read,
        grad_next_c,
        grad_forget_gate,
        grad_c,
        grad_input_gate,
        grad_candidate,
        grad_gates,
        grad_h,
        grad_weight,
        grad_bias,
    )
