"""Ops that are wrong on purpose, each beside its mended form, from all files that plant some."""

import pkgutil
from importlib import import_module

from .planted import PlantedBug

FAMILIES = tuple(
    import_module(f".{file.name}", __name__)
    for file in pkgutil.iter_modules(__path__)
    if not file.name.startswith("test_")
)
PLANTED: tuple[PlantedBug, ...] = tuple(
    bug for family in FAMILIES for bug in vars(family).values() if isinstance(bug, PlantedBug)
)
CAUSES = frozenset(cause for bug in PLANTED for cause in bug.causes)

__all__ = ["CAUSES", "PLANTED", "PlantedBug"]
