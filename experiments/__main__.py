"""The list of the experiments, and each of them by its name: `python -m experiments iris`."""

import runpy
import sys
from shutil import get_terminal_size
from textwrap import fill

from experiments import names, require_known, what_it_does
from torchref.errors import prepare_standard_streams, reader_awaited

INDENT = "  "


def main() -> None:
    name = next(iter(sys.argv[1:]), "--help")
    if name in ("-h", "--help"):
        prepare_standard_streams()
        with reader_awaited(True):
            show()
        return
    require_known(name)
    del sys.argv[1]
    runpy.run_module(f"experiments.{name}", run_name="__main__", alter_sys=True)


def show() -> None:
    """Each name, which is to be copied, on a line of its own at any width."""
    width = get_terminal_size().columns
    print(fill("python -m experiments NAME [OPTIONS], where NAME is one of", width), flush=True)
    for each in names():
        told = what_it_does(each)
        print(each, fill(told, width, initial_indent=INDENT, subsequent_indent=INDENT), sep="\n")


if __name__ == "__main__":
    main()
