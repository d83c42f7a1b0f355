"""Experiments: each a flat script, run as `python -m experiments.NAME`."""

import signal
import sys

# While Python looks for the module to be run: Ctrl-C in the midst of an import has a traceback, and
# not always its own; there is nothing to save yet.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import ast
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from torchref.errors import InputError, known

NO_SCRIPTS = ("__main__", "bundled_data")


def names() -> list[str]:
    """Of all experiments."""
    modules = (each.name for each in iter_modules(__path__) if not each.ispkg)
    return sorted(set(modules) - set(NO_SCRIPTS))


def what_it_does(name: str) -> str:
    """The first line of an experiment's file, which need not be imported for that."""
    text = Path(__path__[0], f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def require_known(name: str) -> None:
    """Ends the process with exit status 2 where no experiment has that name."""
    try:
        known(name, names(), "an experiment", "Write python -m experiments.NAME.")
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if sys.argv[0] == "-m":
    # Python's own message of a module that is not there names no other.
    line = sys.orig_argv
    asked = line[line.index("-m") + 1] if "-m" in line else __name__  # -Bm is one word
    package, *inside = asked.split(".")
    if package == __name__ and inside and find_spec(f"{__name__}.{inside[0]}") is None:
        require_known(inside[0])

if missing := [name for name in ("sklearn", "matplotlib") if find_spec(name) is None]:
    fix = "pip install -c constraints.txt -e '.[experiments]'"
    print(f"Error: The experiments need {' and '.join(missing)}. {fix}", file=sys.stderr)
    raise SystemExit(2)
