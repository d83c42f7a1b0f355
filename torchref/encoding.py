"""Formulas on a terminal that knows no unicode."""

import sys
from io import TextIOWrapper


def escape_what_the_terminal_lacks() -> None:
    """Standard output gets `\\u2202` for a ∂ that its encoding lacks, not a `UnicodeError`."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
