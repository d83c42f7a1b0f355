"""Gradients by hand in PyTorch, and the check that they are right."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
__version__ = "0.1.0"


def found_in(
    package: str, path: Sequence[str], names: Sequence[str], modules: Sequence[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names are imported when they are used.

    names       what it brings beside its modules: each is in one of `modules`, the first that has
                it counts

    Importing the package loads no torch then, which a test run without cross-checks need not pay.
    """
    inside = {each.name for each in iter_modules(path)}

    def get(name: str) -> Any:
        if name in names:
            for module in modules:
                found = import_module(module)
                if hasattr(found, name):
                    return getattr(found, name)
        if name in inside and not name.startswith("_"):
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted({*names, *inside, *vars(import_module(package))})


if not TYPE_CHECKING:  # a type checker reads the imports above
    __getattr__, __dir__ = found_in(
        __name__,
        __path__,
        __all__,
        ("torchref.errors", "torchref.checker", "torchref.auditor", "torchref.explainer"),
    )
