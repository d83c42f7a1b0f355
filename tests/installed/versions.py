"""The quick tests and the catalogue's cross-check under several versions of Python and of torch.

    python -m tests.installed.versions
    python -m tests.installed.versions --python 3.12 --torch 2.11.0 --folder environments

Each pair gets an environment, in the folder if one is given: there it stays, and is used again. The
settings of pip say where torch comes from: without CPU builds (`PIP_EXTRA_INDEX_URL`,
`PIP_FIND_LINKS`) an environment on Linux takes 6 GB. The other packages are those of
`constraints.txt`. The status is 0 where every pair has passed, and 1 where one has failed or could
not be tried.
"""

import re
import shutil
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console
from rich.table import Table

from tests.installed.environment import HOUSE, Environment, FailedError, run

PYTHONS = ("3.11", "3.12", "3.13")
TORCHES = ("2.11.0", "2.13.0")
LONG_ENOUGH = 100  # columns


@dataclass(frozen=True)
class Row:
    """What came of one pair."""

    python: str
    torch: str
    quick: str = "not tried"
    catalogue: str = "not tried"
    seconds: float = 0.0
    failures: tuple[str, ...] = ()


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=PYTHONS, help="as 3.12")
    parser.add_argument("--torch", nargs="+", default=TORCHES, help="as 2.11.0")
    parser.add_argument("--folder", type=Path, help="where the environments stay")
    wanted = parser.parse_args()
    with TemporaryDirectory() as made:
        folder = Path(made) if wanted.folder is None else wanted.folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for python, torch in product(wanted.python, wanted.torch):
            row = tried(python, torch, folder)
            rows.append(row)
            print(f"Python {python}, torch {torch}: {row.quick}; {row.catalogue}", flush=True)
            if wanted.folder is None:
                shutil.rmtree(environment_of(folder, python, torch), ignore_errors=True)
    show(rows)
    raise SystemExit(any(row.failures for row in rows))


def environment_of(folder: Path, python: str, torch: str) -> Path:
    return folder / f"python{python}-torch{torch}"


def tried(python: str, torch: str, folder: Path) -> Row:
    interpreter = next(interpreters(python), None)
    if interpreter is None:
        nothing = f"no Python {python} was found on the path or among pyenv's versions"
        return Row(python, torch, failures=(nothing,))
    begun = perf_counter()
    try:
        environment = prepared(environment_of(folder, python, torch), interpreter, torch)
    except FailedError as failed:
        return Row(python, torch, failures=(str(failed),))
    failures: list[str] = []
    told = [outcome(environment, command, summary, failures) for command, summary in TRIED]
    return Row(python, torch, *told, perf_counter() - begun, tuple(failures))


def outcome(
    environment: Environment,
    command: tuple[str, ...],
    summary: Callable[[str], str],
    failures: list[str],
) -> str:
    """What a command of the environment came to, in a few words; a failure is added to the list."""
    try:
        return summary(environment.python("-m", *command, at=HOUSE))
    except FailedError as failed:
        failures.append(str(failed))
        return "failed"


def of_pytest(printed: str) -> str:
    """Its last line without the time: `571 passed, 31 skipped`."""
    return re.sub(r"=|, \d+ deselected| in .*", "", printed.splitlines()[-1]).strip()


def of_crosscheck(printed: str) -> str:
    return f"{printed.count('│ right ')} ops right"


TRIED = (
    (("pytest", "-q", "-m", "quick", "-n", "auto", "-p", "no:cacheprovider"), of_pytest),
    (("torchref", "crosscheck"), of_crosscheck),
)


def interpreters(version: str) -> Iterator[str]:
    """Those of a version that run: pyenv has a `python3.12` on the path for others than its own."""
    pyenv = Path(environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for interpreter in filter(None, found):
        try:
            told = run(interpreter, "--version", at=HOUSE)
        except FailedError:
            continue
        if told.startswith(f"Python {version}."):
            yield str(interpreter)


def prepared(folder: Path, interpreter: str, torch: str) -> Environment:
    """One with this torch and the checkout, used as it is where it has both."""
    environment = Environment(folder, interpreter)
    try:
        told = environment.python(
            "-c", "import torch, torchref; print(torch.__version__)", at=folder
        )
    except FailedError:
        told = ""
    if told.partition("+")[0].strip() != torch:
        others = folder / "constraints.txt"
        lines = (HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines(keepends=True)
        others.write_text("".join(line for line in lines if not line.startswith("torch==")))
        environment.install(f"torch=={torch}", "-e", ".[dev]", constraints=others)
    return environment


def show(rows: list[Row]) -> None:
    console = Console(width=None if Console().is_terminal else LONG_ENOUGH)
    table = Table("Python", "torch", "quick tests", "catalogue", "seconds")
    for row in rows:
        table.add_row(row.python, row.torch, row.quick, row.catalogue, f"{row.seconds:.0f}")
    console.print(table)
    for row in rows:
        for failure in row.failures:
            told = f"\nPython {row.python}, torch {row.torch}: {failure}"
            console.print(told, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
