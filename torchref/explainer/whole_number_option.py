"""An option of the command line that takes a whole number, and says what arrived instead."""

from collections.abc import Callable

import typer


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads the option: an integer from `least` to `most`.

    It raises `typer.BadParameter`, to which typer adds the name of the option.
    """

    def read(given: str) -> int:
        try:
            number = int(given)
        except ValueError:
            raise typer.BadParameter(f"it must be an integer, but {given!r} arrived") from None
        if number < least:
            must = f"greater than or equal to {least}"
        elif most is not None and number > most:
            must = f"less than or equal to {most}"
        else:
            return number
        raise typer.BadParameter(f"it must be {must}, but {number} arrived")

    return read
