"""The one exception for input that torchref cannot work with."""


class InputError(ValueError, RuntimeError):
    """Bad input: the message says what must hold, what arrived and the likely fix.

    torch answers such input with `ValueError` in some functions and `RuntimeError` in others.
    Code that was written against either still catches this one.

    >>> raise InputError("rate must be positive", "-1 arrived", "0.1 is usual.")
    Traceback (most recent call last):
    torchref.errors.InputError: rate must be positive, but -1 arrived. 0.1 is usual.
    """

    def __init__(self, invariant: str, arrived: str, fix: str) -> None:
        super().__init__(f"{invariant}, but {arrived}. {fix}")
