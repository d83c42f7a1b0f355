"""Gradients by hand in PyTorch, and the check that they are right."""

from __future__ import annotations

from functools import cache

# Of typing, which type checkers take for true: its import, and that of importlib, are half of the
# time in which Ctrl-C still has a traceback, until `torchref.__main__` has seen to it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from torchref.auditor import Audit, AuditReport, audit
    from torchref.checker import (
        Comparison,
        Finding,
        Report,
        WrongGradientError,
        compare,
        crosscheck,
    )
    from torchref.errors import InputError
    from torchref.explainer import Explanation, explain

__all__ = [
    "Audit",
    "AuditReport",
    "Comparison",
    "Explanation",
    "Finding",
    "InputError",
    "Report",
    "WrongGradientError",
    "audit",
    "compare",
    "crosscheck",
    "explain",
]
__version__ = "0.1.0.dev0"


def found_in(
    package: str, path: Sequence[str], names: Sequence[str], modules: Sequence[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names are imported when they are used.

    names       what it brings beside its modules: each is in one of `modules`, the first that has
                it counts

    Importing the package loads no torch then, which a test run without cross-checks need not pay.
    """

    @cache  # it takes longer than all the rest, and few ask
    def inside() -> set[str]:
        from pkgutil import iter_modules

        return {each.name for each in iter_modules(path)}

    def get(name: str) -> Any:
        from importlib import import_module

        if name in names:
            for module in modules:
                found = import_module(module)
                if hasattr(found, name):
                    return getattr(found, name)
        if not name.startswith("_") and name in inside():
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        import sys

        return sorted({*names, *inside(), *vars(sys.modules[package])})

    return get, listed


if not TYPE_CHECKING:  # a type checker reads the imports above
    __getattr__, __dir__ = found_in(
        __name__,
        __path__,
        __all__,
        ("torchref.errors", "torchref.checker", "torchref.auditor", "torchref.explainer"),
    )
