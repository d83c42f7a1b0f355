"""Which of the Functions that tests apply are the user's, and in which order tests meet them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from torchref.errors import InputError
from torchref.testing.mutation.suite import Collected
from torchref.testing.mutation.target import Target

INSTALLED = {"site-packages", "dist-packages"}
OF_TESTS = {"test", "tests"}  # folders whose Functions are there to test with
NEAR = (
    0.1  # a test with the Function's name in its own comes before one that takes this of its time
)
NAMED = "Name Functions with --functions; it takes a part of Python's name, or a pattern with *."


def chosen(
    applied: Mapping[str, Target], names: Sequence[str], collected: Collected
) -> list[Target]:
    """The Functions that are named, or those of the user's own files that are no tests.

    Raises `InputError` where there are none.
    """
    if not applied:
        raise InputError(
            "the tests must apply a torch.autograd.Function",
            f"none of the {len(collected.tests)} that pytest runs applies one in its own process",
            "Give pytest the tests of your Functions.",
        )
    if names:
        return [target for name in names for target in _named(name, applied.values())]
    found = [target for target in applied.values() if _is_users(target, collected)]
    if not found:
        raise InputError(
            f"the tests must apply a Function of a file below {collected.root} that holds no tests",
            f"they apply {_listed(applied)}",
            NAMED,
        )
    return found


def in_order(
    tests: Iterable[str], target: Target, took: Mapping[str, float], caught: Collection[str]
) -> list[str]:
    """Those that will tell soonest first: that have caught others, are named for it, are fast."""

    def wait(test: str) -> tuple[bool, float]:
        is_near = target.short_name.lower().rpartition("::")[2] in test.lower()
        return test not in caught, took.get(test, 0.0) * (NEAR if is_near else 1.0)

    return sorted(tests, key=wait)


def _named(name: str, applied: Collection[Target]) -> list[Target]:
    found = [
        target
        for target in applied
        if target.name == name
        or target.name.endswith((f".{name}", f"::{name}"))
        or fnmatchcase(target.name, name)
    ]
    if not found:
        raise InputError(
            "--functions must name a Function that the tests apply",
            f"{name!r} is none of {_listed({target.name: target for target in applied})}",
            "Names are written as Python has them; a pattern has *.",
        )
    return found


def _is_users(target: Target, collected: Collected) -> bool:
    if target.file is None or target.file in collected.files:
        return False
    file = Path(target.file)
    for root in (Path(collected.root), Path.cwd()):
        if file.is_relative_to(root):
            return not (INSTALLED | OF_TESTS) & set(file.relative_to(root).parts)
    return False


def _listed(applied: Mapping[str, Target]) -> str:
    most = 8
    names = sorted(applied)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
