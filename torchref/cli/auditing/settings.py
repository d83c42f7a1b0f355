"""What `torchref audit` is told of single Functions: by options, and by pyproject.toml."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torchref.cli.targets.loading import FORM
from torchref.errors import InputError

TABLES = ("expect", "reference")


def of_project(folder: Path) -> dict[str, dict[str, str]]:
    """`[tool.torchref.audit]` of the pyproject.toml in the folder, or in the next one above.

    Raises `InputError` where it holds what an audit does not take.
    """
    files = (each / "pyproject.toml" for each in (folder, *folder.parents))
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        return {name: {} for name in TABLES}
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise InputError(f"{file} must be TOML", str(error), "Mend it there.") from None
    found = tool.get("torchref", {}).get("audit", {})
    where = f"[tool.torchref.audit] of {file}"
    if not isinstance(found, dict) or set(found) - set(TABLES):
        raise InputError(f"{where} must have the tables expect and reference", repr(found), FIX)
    return {name: _table(found.get(name, {}), f"{where}: {name}") for name in TABLES}


FIX = 'Write expect = {Round = "straight-through"} there.'


def _table(found: Any, where: str) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise InputError(f"{where} must map names of Functions to strings", repr(found), FIX)
    return {name: _filled(name, each, where) for name, each in found.items()}


def of_options(option: str, given: Sequence[str]) -> dict[str, str]:
    """What `--option NAME=VALUE`, perhaps several times, says by name.

    >>> of_options("--expect", ["Round=straight-through"])
    {'Round': 'straight-through'}
    """
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            what = "REASON" if option == "--expect" else "module:function"
            fix = f"Write {option} {name or 'Round'}={what}."
            raise InputError(f"{option} must be NAME={what}", f"{each!r} arrived", fix)
        found[name] = _filled(name, value, option)
    return found


def _filled(name: str, value: str, where: str) -> str:
    is_reference = where.endswith("reference")
    if not value.strip():
        fix = FIX_REFERENCE if is_reference else FIX if "[" in where else FIX_EXPECT
        raise InputError(f"{where} must say something of {name}", f"{value!r} arrived", fix)
    if is_reference and not all(value.rpartition(":")):
        raise InputError(f"{where} must {FORM}", f"{value!r} arrived for {name}", FIX_REFERENCE)
    return value


FIX_EXPECT = "Write --expect Round=straight-through."
FIX_REFERENCE = "Write --reference Swish=torch.nn.functional:silu."
