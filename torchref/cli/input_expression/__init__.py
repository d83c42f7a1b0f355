"""Inputs written as an expression: a small language of tensors, which runs no code.

    arguments := [argument ("," argument)*]
    argument  := [NAME "="] value
    value     := number | string | True | False | None | inf | nan | pi | dtype
               | "(" values ")" | "[" values "]"
               | MAKER "(" values and NAME=values ")"        randn(4, 3), full((4, 3), 2.5)
               | METHOD "(" value "," ... ")"                abs(randn(3))
               | value "." METHOD "(" ... ")"                randn(3).abs(), rand(3).to(float16)
               | value ".T" | value ".mT"                    not contiguous
               | value "[" indices and slices "]"            randn(8)[::2]
               | -value | +value | ~value
               | value (+ - * / // % ** & |) value           of numbers and tensors
               | value (< <= > >= == !=) value               a mask

`MAKERS` and `METHODS` of `torchref.cli.input_expression.tensors` are all names that may be called;
they do what torch's of that name do, and `randbool` draws a mask. `torch.` may stand before a name.
A dtype is named as torch names it: `randn(3, dtype=float64)`.
"""

from torchref.cli.input_expression.reading import Arguments, read_inputs

__all__ = ["Arguments", "read_inputs"]
