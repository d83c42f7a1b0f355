"""Numbers as text: two with as many digits as it takes to see that they differ, and dtypes."""

import cmath
import math

import torch

DIGITS, ALL_DIGITS = 6, 17  # as printed ordinarily, and all that double precision has
DIFFERING = 2  # digits of the difference that are shown


def told_apart(a: complex, b: complex) -> tuple[str, str]:
    """Both numbers as text; equal texts only for numbers that are the same to the last bit.

    >>> told_apart(0.25, 0.5), told_apart(2.483611, 2.4836110004)
    (('0.25', '0.5'), ('2.483611', '2.4836110004'))
    """
    digits = DIGITS
    gap, size = abs(a - b), max(abs(a), abs(b))
    if cmath.isfinite(a) and cmath.isfinite(b) and gap > 0:
        digits = max(DIGITS, math.ceil(math.log10(size / gap)) + DIFFERING)
    digits = min(digits, ALL_DIGITS)
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def dtype_name(dtype: torch.dtype) -> str:
    """As it is called in torch's documentation.

    >>> dtype_name(torch.bfloat16)
    'bfloat16'
    """
    return str(dtype).removeprefix("torch.")
