"""Objects of the user's code by their address: `kernels.py:BiasGelu`, `package.module:function`."""

import difflib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from torchref.cli.supervision.signals import StoppedError
from torchref.errors import InputError, came_out

FORM = "be FILE.py:NAME or PACKAGE.MODULE:NAME"


def load(address: str, option: str) -> Any:
    """What stands under the name after the colon, which may have dots; `option` is who asks.

    Raises `InputError` where the module cannot be imported, whatever it raises, or has no such
    name.

    >>> load("torch.nn.functional:silu", "--reference").__name__
    'silu'
    """
    where, colon, name = address.rpartition(":")
    if not colon or not where or not name:
        file = where.rstrip(":") if colon else address
        fix = f"Write {file or 'kernels.py'}:NAME."
        raise InputError(f"{option} must {FORM}", f"{address!r} arrived", fix)
    return named_in(load_module(where, option), name, where, option)


def named_in(module: ModuleType, name: str, where: str, option: str) -> Any:
    """What a module that was loaded from somewhere has under a name, which may have dots."""
    found: Any = module
    parts = name.split(".")
    for place, part in enumerate(parts):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), n=1, cutoff=0.4)
            meant = ".".join([*parts[:place], *near, *parts[place + 1 :]])
            raise InputError(
                f"{option} must name something that {where} defines",
                f"it has no {name}",
                f"Did you mean {meant}?" if near else "Names are written as they stand there.",
            )
        found = getattr(found, part)
    return found


def load_module(where: str, option: str) -> ModuleType:
    """The module of a file or of a dotted name, imported as Python itself would.

    The folder of a file, or the one in which one works, is put on `sys.path`, so that it finds its
    neighbours. A file within a package is imported as that package's module.
    """
    try:
        if where.endswith(".py") or os.sep in where or not where.strip("."):
            return _module_of(Path(where), option)
        _put_on_path(Path.cwd())
        return importlib.import_module(where)
    except (InputError, StoppedError):
        raise
    except BaseException as error:
        raise _not_imported(where, option, error) from error


def _module_of(file: Path, option: str) -> ModuleType:
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "is not there"
        fix = "Give the path from the folder in which you are, or the module's dotted name."
        raise InputError(f"{option} must name a file with Python code", f"{file} {what}", fix)
    file = file.resolve()
    parts = [] if file.name == "__init__.py" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    _put_on_path(folder)
    name = ".".join(parts)
    if len(parts) > 1 or _is_found(name, file):
        return importlib.import_module(name)
    return _imported_apart(file)


def _is_found(name: str, file: Path) -> bool:
    """Whether an import of the name finds this file, and no other module of that name."""
    origin = getattr(sys.modules.get(name), "__file__", None)
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        origin = spec and spec.origin
    return origin is not None and Path(origin).resolve() == file


def _imported_apart(file: Path) -> ModuleType:
    """The module of a file whose name another module has, or that is no name in Python."""
    name = f"{file.stem}@{file.parent}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    cloudpickle.register_pickle_by_value(module)  # no other process finds it by its name
    return module


def _put_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _not_imported(where: str, option: str, error: BaseException) -> InputError:
    if isinstance(error, ModuleNotFoundError) and f"{where}.".startswith(f"{error.name}."):
        fix = "Install it, or run where Python finds it; a file is named with its .py."
        inside, dot, name = where.rpartition(".")
        if dot and error.name == where:
            fix = f"A name in a module stands after a colon: {inside}:{name}."
        return InputError(f"{option} must name a module", f"there is no {error.name}", fix)
    return InputError(
        f"{option} must name a module that can be imported: {where}",
        came_out(error),
        "Import it by itself to see where.",
    )
