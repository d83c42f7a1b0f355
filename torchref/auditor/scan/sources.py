"""Where the source of a package lies: found by its name or its path, and never imported."""

import difflib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import pkgutil
import re
import zipimport
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from torchref.errors import InputError

WHERE = "what is scanned must be a package that is installed, a folder or a .py file"


@dataclass(frozen=True)
class SourceFile:
    """A file, the module that it is, and how an address names it."""

    module: str
    path: Path
    is_package: bool
    address: str  # PACKAGE.MODULE, or the file where no package holds it
    wanted: bool = True  # False: read where a name leads there, and not scanned


def find_sources(where: str) -> tuple[SourceFile, ...]:
    """The files of a package, by its name or that of its distribution; of a folder; or one file.

    Raises `InputError` where there is nothing of that name or no Python source in it.

    >>> [each.module for each in find_sources("json.decoder") if each.wanted]
    ['json.decoder']
    """
    if not where:
        raise InputError(WHERE, "an empty name arrived", "The folder that you are in is named .")
    path = Path(where).expanduser()
    is_path = os.sep in where or where.endswith(".py") or where in (".", "..")
    found = _of_path(path) if is_path or _holds_source(path) else _of_name(where)
    if not any(each.wanted for each in found):
        fix = "Scan the folder with its sources, where you have one."
        raise InputError(WHERE, f"{where} has no .py file", fix)
    return found


def _holds_source(folder: Path) -> bool:
    return folder.is_dir() and next(_python_files(folder), None) is not None


def _of_path(path: Path) -> tuple[SourceFile, ...]:
    if not path.exists() or not (path.is_dir() or path.suffix == ".py"):
        what = "is no Python source" if path.exists() else "is not there"
        fix = "A folder and a file are named by their path from here, a package by its name."
        raise InputError(WHERE, f"{path} {what}", fix)
    within = path.resolve()
    folder = within if within.is_dir() else within.parent
    if not (folder / "__init__.py").is_file():
        files = _python_files(folder) if within.is_dir() else iter([within])
        return tuple(_in_plain_folder(each, folder, path) for each in files)
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return tuple(_in_package(folder, folder.name, within))


def _of_name(where: str) -> tuple[SourceFile, ...]:
    top, *inner = where.split(".")
    if not all(part.isidentifier() for part in (top, *inner)) or _spec(top) is None:
        names = () if _spec(top) else _names_of_distribution(where)
        if not names:
            fix = _nearest(where, _installed())
            raise InputError(WHERE, f"there is no {where}", fix)
        return tuple(file for name in names for file in _of_name(name))
    spec = _spec(top)
    assert spec is not None
    if spec.submodule_search_locations is None:
        return _of_module(top, spec, inner)
    found: list[SourceFile] = []
    for location in dict.fromkeys(spec.submodule_search_locations):  # of a namespace: several
        folder = Path(location)
        if not folder.is_dir():
            raise InputError(WHERE, f"{top} lies in {location}", "Unpack it, and scan the folder.")
        within = folder.joinpath(*inner)
        found += _in_package(folder, top, within if within.is_dir() else within.with_suffix(".py"))
    if inner and not any(each.wanted for each in found):
        fix = _nearest(where, {each.module for each in found})
        raise InputError(WHERE, f"{top} has no module {'.'.join(inner)} with source", fix)
    return tuple(found)


def _of_module(
    top: str, spec: importlib.machinery.ModuleSpec, inner: list[str]
) -> tuple[SourceFile, ...]:
    if isinstance(spec.loader, zipimport.zipimporter):
        raise InputError(WHERE, f"{top} lies in a zip file", "Unpack it, and scan the folder.")
    if inner:
        raise InputError(WHERE, f"{top} is a module and no package", f"Scan {top}.")
    if spec.origin is None or not spec.origin.endswith(".py"):
        fix = "There is no source to read: scan the folder with its sources, if you have it."
        raise InputError(WHERE, f"{top} is compiled", fix)
    return (SourceFile(top, Path(spec.origin), is_package=False, address=top),)


def _spec(top: str) -> importlib.machinery.ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)  # of a name without dots: this imports nothing
    except (ImportError, ValueError):
        return None


def _names_of_distribution(name: str) -> tuple[str, ...]:
    wanted = _normal(name)
    return tuple(
        module
        for module, names in importlib.metadata.packages_distributions().items()
        if wanted in map(_normal, names) and module.isidentifier() and _spec(module) is not None
    )


def _installed() -> set[str]:
    return {each.name for each in pkgutil.iter_modules()}


def _nearest(where: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(where, sorted(names), n=1, cutoff=0.75)
    otherwise = "Is it installed here? A folder is named by its path, as ./kernels."
    return f"Did you mean {near[0]}?" if near else otherwise


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _in_package(folder: Path, name: str, within: Path) -> Iterator[SourceFile]:
    for path in _python_files(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join((name, *(parts[:-1] if is_package else parts)))
        wanted = path == within or within in path.parents
        yield SourceFile(module, path, is_package, module, wanted)


def _in_plain_folder(file: Path, folder: Path, given: Path) -> SourceFile:
    """A script, or the module of a package below: its name begins where the package does."""
    top = file.parent
    while (top / "__init__.py").is_file() and top != folder:
        top = top.parent
    parts = file.relative_to(top).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    path = given / file.relative_to(folder) if given.is_dir() else given
    return SourceFile(module, file, is_package, str(path))


def _python_files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith((".", "__pycache__"))
            and not Path(here, each, "pyvenv.cfg").exists()
        )
        yield from (Path(here, each) for each in sorted(files) if each.endswith(".py"))
