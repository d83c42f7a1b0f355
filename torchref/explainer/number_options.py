"""Options of the command line that take a number, and say what arrived instead."""

from typing import Annotated, Any

import typer

from torchref.checker.promise import MOST_SEED


def whole_number(least: int, most: int | None = None, **told: Any) -> Any:
    """An option that takes an integer from `least` to `most`; its help and such are `told`.

    Where another arrives it raises `typer.BadParameter`, to which typer adds the option's name.
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

    return typer.Option(parser=read, metavar="INTEGER", **told)


def real_number(**told: Any) -> Any:
    """An option that takes a number; it raises `typer.BadParameter` for what is none."""

    def read(given: str) -> float:
        try:
            return float(given)
        except ValueError:
            raise typer.BadParameter(f"it must be a number, but {given!r} arrived") from None

    return typer.Option(parser=read, metavar="NUMBER", **told)


Seed = Annotated[
    int, whole_number(0, MOST_SEED, help=f"Of what is drawn at random: 0 to {MOST_SEED}.")
]
