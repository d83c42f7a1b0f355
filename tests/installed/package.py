"""Build torchref's sdist and wheel, and use them where there is no checkout.

    python -m tests.installed.package

holds what is in them to what git keeps, collects the tests of the unpacked sdist, installs the
wheel and pytest into an empty environment, and there asks for the version, cross-checks the
catalogue and runs the doctests. It takes some minutes, and 1.5 GB for that time.
"""

import shutil
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from zipfile import ZipFile

from tests.installed.environment import HOUSE, Environment, FailedError, run
from torchref import __version__

CONSTRAINTS = HOUSE / "constraints.txt"
WRITTEN_BY_THE_BUILD = {"PKG-INFO"}
FOR_USERS = ("torchref/py.typed", "torchref/auditor/report/page.html.jinja")


def main() -> None:
    with TemporaryDirectory() as made:
        folder = Path(made).resolve()
        try:
            with told("built"):
                wheel, sdist = build(folder / "dist")
            print(
                *(f"  {file.name}: {file.stat().st_size / 1e6:.2f} MB" for file in (wheel, sdist))
            )
            tracked = set(run("git", "-c", "core.quotePath=off", "ls-files", at=HOUSE).splitlines())
            require_nothing([*wrong_in_wheel(names_in(wheel), tracked)])
            with told("the sdist has what git has, and its tests are found"):
                try_sdist(sdist, folder, tracked)
            with told("the wheel works in an environment of its own"):
                try_wheel(wheel, folder)
        except FailedError as failed:
            raise SystemExit(f"packaging failed: {failed}") from None


@contextmanager
def told(what: str) -> Iterator[None]:
    begun = perf_counter()
    yield
    print(f"{what}: {perf_counter() - begun:.0f} s", flush=True)


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel, which is made of the sdist, and the sdist."""
    run(
        sys.executable, "-m", "build", "--outdir", folder, at=HOUSE, PIP_CONSTRAINT=str(CONSTRAINTS)
    )
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def names_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def require_nothing(wrong: list[str]) -> None:
    if wrong:
        raise FailedError("\n".join(wrong))


def wrong_in_wheel(names: set[str], tracked: set[str]) -> Iterator[str]:
    """A line for each thing: it holds the package whole, its licence, and nothing else."""
    described = f"torchref-{__version__}.dist-info/"
    wanted = {name for name in tracked if name.startswith("torchref/")}
    yield from differences(
        "the wheel", {name for name in names if not name.startswith(described)}, wanted
    )
    for name in (*FOR_USERS, f"{described}licenses/LICENSE"):
        if name not in names:
            yield f"the wheel lacks {name}"


def differences(what: str, held: set[str], wanted: set[str]) -> Iterator[str]:
    yield from (f"{what} lacks {name}" for name in sorted(wanted - held))
    yield from (f"{what} holds {name}, which it should not" for name in sorted(held - wanted))


def try_sdist(sdist: Path, folder: Path, tracked: set[str]) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    root = folder / f"torchref-{__version__}"
    held = {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}
    require_nothing([*differences("the sdist", held - WRITTEN_BY_THE_BUILD, tracked)])
    run(sys.executable, "-m", "pytest", "-q", "--collect-only", at=root)


def try_wheel(wheel: Path, folder: Path) -> None:
    """From an empty folder: beside the environment is no other torchref."""
    environment = Environment(folder / "environment")
    environment.install(wheel, "pytest", constraints=CONSTRAINTS)
    empty = folder / "empty"
    empty.mkdir()
    torchref = environment.bin / "torchref"
    print(" ", run(torchref, "--version", at=empty).strip())
    run(torchref, "crosscheck", at=empty)
    shutil.copy(HOUSE / "conftest.py", folder)  # above what is installed: `torch` in its doctests
    doctests = "-m", "pytest", "-q", "--doctest-modules", "--pyargs", "torchref"
    print(" ", environment.python(*doctests, at=folder).splitlines()[-1])


if __name__ == "__main__":
    main()
