"""Imports go down the floors, in no circle; folders and files are small, and named for content."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent

# A room is a module or a package; the deepest name that fits is a module's room.
FLOORS = {
    "torchref.errors": 0,
    "torchref.ops": 0,
    "torchref.functional": 1,
    "torchref.catalogue": 2,
    "torchref.nn": 2,
    "torchref.checker.execution": 3,
    "torchref.checker.causes": 3.02,
    "torchref.checker.report": 3.05,
    "torchref.checker.oracles": 3.1,
    "torchref.checker.inputs": 3.2,
    "torchref.checker.probes": 3.3,
    "torchref.checker.diagnosis": 3.3,
    "torchref.checker.comparison": 3.4,
    "torchref.checker.promise": 3.4,
    "torchref.checker.generated_inputs": 3.5,
    "torchref.checker.session": 3.6,
    "torchref.checker.crosscheck": 3.7,
    "torchref.checker": 3.8,  # its __init__.py brings the calls
    "torchref.backprop": 3,
    "torchref.training": 4.2,  # explains what it has trained
    "torchref.explainer": 4,
    "torchref.auditor": 4,
    "torchref": 4.5,  # torchref/__init__.py brings the calls of all rooms below the command line
    "torchref.testing": 4.7,
    "torchref.cli": 5,
    "torchref.__main__": 5.5,
    "experiments": 6,
}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 300
MOST_ENTRIES = 12  # of a folder beside its __init__.py: an index that is taken in at one look
MOST_ARROWS = 40  # between the rooms of the checker
MOST_LINES_OF_AN_EXPERIMENT = 126  # it is read from top to bottom


def files(house: Path) -> Iterator[Path]:
    for package in ("torchref", "experiments"):
        yield from sorted((house / package).rglob("*.py"))


def module_name(file: Path, house: Path) -> str:
    parts = file.relative_to(house).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str | None:
    """The room of a module; where rooms inside a package have floors, its own is its __init__."""
    within = [name for name in FLOORS if f"{module}.".startswith(f"{name}.")]
    deepest = max(within, key=len, default=None)
    is_divided = any(name.startswith(f"{deepest}.") for name in FLOORS)
    return None if is_divided and deepest != module else deepest


def imports(file: Path, house: Path, modules: set[str]) -> Iterator[str]:
    """Every module of the house that the file imports, wherever in the file it does so."""
    here = module_name(file, house)
    package = here if file.name == "__init__.py" else here.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                if inner in modules or source in modules:
                    yield inner if inner in modules else source


def import_graph(house: Path) -> dict[str, set[str]]:
    by_name = {module_name(file, house): file for file in files(house)}
    return {
        name: set(imports(file, house, set(by_name))) - {name} for name, file in by_name.items()
    }


def faults_of_floors(house: Path) -> list[str]:
    faults = []
    for module, imported in import_graph(house).items():
        mine = room(module)
        if mine is None:
            faults.append(f"{module} has no floor: give it one in FLOORS, and in the design")
            continue
        for other in sorted(imported):
            its = room(other)
            if its is not None and its != mine and FLOORS[its] >= FLOORS[mine]:
                faults.append(
                    f"{module} (floor {FLOORS[mine]}) imports {other} (floor {FLOORS[its]}): "
                    "imports go to lower floors only"
                )
    return faults


def faults_of_circles(house: Path) -> list[str]:
    try:
        TopologicalSorter(import_graph(house)).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def faults_of_files(house: Path) -> list[str]:
    faults = []
    for file in files(house):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        scripts = file.parent == house / "experiments"
        most = MOST_LINES_OF_AN_EXPERIMENT if scripts else MOST_LINES
        if lines > most:
            faults.append(f"{file.relative_to(house)} has {lines} lines, more than {most}")
        for part in SAYS_NOTHING & set(file.relative_to(house).with_suffix("").parts):
            faults.append(f"{file.relative_to(house)}: {part!r} does not say what is inside")
    return faults


def faults_of_folders(house: Path) -> list[str]:
    entries: dict[Path, set[str]] = {}
    for file in (house / "torchref").rglob("*.py"):
        for inside, folder in pairwise([file, *file.relative_to(house).parents]):
            if inside.name not in ("__init__.py", "__main__.py") and folder != Path():
                entries.setdefault(folder, set()).add(inside.name)
    return [
        f"{folder} has {len(names)} entries, more than {MOST_ENTRIES}"
        for folder, names in entries.items()
        if len(names) > MOST_ENTRIES
    ]


def arrows(house: Path, package: str) -> set[tuple[str, str]]:
    """Which entries of a package import which others of it."""
    depth = len(package.split("."))
    pairs = (
        (importer.split(".")[: depth + 1], imported.split(".")[: depth + 1])
        for importer, all_imported in import_graph(house).items()
        for imported in all_imported
    )
    here = package.split(".")
    inside = (
        (".".join(a), ".".join(b))
        for a, b in pairs
        if a[:depth] == b[:depth] == here and len(a) == len(b) == depth + 1
    )
    return {(a, b) for a, b in inside if a != b}


def test_imports_go_down_the_floors() -> None:
    assert faults_of_floors(HOUSE) == []


def test_imports_have_no_circle() -> None:
    assert faults_of_circles(HOUSE) == []


def test_files_are_short_and_say_what_they_hold() -> None:
    assert faults_of_files(HOUSE) == []


def test_a_folder_is_taken_in_at_one_look() -> None:
    assert faults_of_folders(HOUSE) == []


def test_the_rooms_of_the_checker_know_few_others() -> None:
    assert len(arrows(HOUSE, "torchref.checker")) <= MOST_ARROWS


def test_the_walk_sees_the_imports_that_are_there() -> None:
    graph = import_graph(HOUSE)
    assert graph["torchref.ops.losses.log_loss"] == {
        "torchref.ops.op",
        "torchref.ops.activations.sigmoid",
    }
    assert {"torchref.functional", "torchref.errors"} <= graph["torchref.nn"]
    assert graph["torchref.errors"] == set()


def build(house: Path, **texts: str) -> Path:
    """A house of its own: `torchref__ops__op="import torch"` is torchref/ops/op.py."""
    for name, text in texts.items():
        file = house.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for folder in file.relative_to(house).parents:
            if folder != Path():
                (house / folder / "__init__.py").touch()
    return house


SOUND = {
    "torchref__errors": "",
    "torchref__ops__op": "import torch",
    "torchref__ops__sigmoid": "from torchref.ops.op import Op",
    "torchref__functional__losses": "from ..ops import sigmoid\nfrom torchref.errors import E",
    "torchref__nn": "from torchref import functional",
    "torchref__checker__oracles__kinks": "import torchref.catalogue\nfrom torchref import ops",
    "torchref__cli": "from torchref import __version__, checker",
    "experiments__iris": "from torchref import crosscheck\nimport torchref.nn",
}


def test_a_sound_house_has_no_fault(tmp_path: Path) -> None:
    house = build(tmp_path, **SOUND)
    assert faults_of_floors(house) + faults_of_circles(house) + faults_of_files(house) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"torchref__ops__op": "from torchref.functional import losses"},
        {"torchref__ops__op": "from torchref.errors import InputError"},
        {"torchref__ops__op": "def late():\n    import torchref.nn"},
        {"torchref__ops__op": "from .. import functional"},
        {"torchref__ops__op": "from torchref import crosscheck"},
        {"torchref__functional__losses": "from torchref.nn import Linear"},
        {"torchref__nn": "from torchref.checker.oracles.kinks import ties"},
        {"torchref__nn": "if TYPE_CHECKING:\n    from . import cli"},
        {"torchref__checker__oracles__kinks": "from torchref import cli"},
        {"torchref__checker__oracles__kinks": "from torchref.checker import crosscheck"},
        {"torchref__cli": "import experiments.iris"},
    ],
    ids=str,
)
def test_an_import_that_does_not_go_down_is_seen(tmp_path: Path, planted: dict[str, str]) -> None:
    (fault,) = faults_of_floors(build(tmp_path, **(SOUND | planted)))
    assert "imports go to lower floors only" in fault
    assert fault.startswith(next(iter(planted)).replace("__", "."))


def test_a_room_that_the_design_does_not_know_is_seen(tmp_path: Path) -> None:
    (fault,) = faults_of_floors(build(tmp_path, **SOUND, torchref__attic__box=""))[1:]
    assert "torchref.attic.box has no floor" in fault


def test_a_circle_is_seen(tmp_path: Path) -> None:
    circle = {
        "torchref__ops__op": "from torchref.ops import softplus",
        "torchref__ops__softplus": "from .sigmoid import Sigmoid",
    }
    (fault,) = faults_of_circles(build(tmp_path, **(SOUND | circle)))
    named = fault.split(" imports ")
    assert set(named) == {f"torchref.ops.{name}" for name in ("op", "softplus", "sigmoid")}
    assert ("torchref.ops.op", "torchref.ops.softplus") in pairwise(named)


def test_a_long_file_and_an_empty_name_are_seen(tmp_path: Path) -> None:
    long = {"torchref__ops__long": "\n" * 301, "experiments__long": "\n" * 127}
    house = build(tmp_path, **SOUND, **long, experiments__utils="")
    assert faults_of_files(house) == [
        "torchref/ops/long.py has 301 lines, more than 300",
        "experiments/long.py has 127 lines, more than 126",
        "experiments/utils.py: 'utils' does not say what is inside",
    ]


def test_a_crowded_folder_is_seen(tmp_path: Path) -> None:
    crowd = {f"torchref__ops__op{n}": "" for n in range(MOST_ENTRIES)}
    house = build(tmp_path, **(SOUND | crowd))
    assert faults_of_folders(house) == ["torchref/ops has 14 entries, more than 12"]


def test_arrows_are_counted_between_entries_and_not_between_files(tmp_path: Path) -> None:
    rooms = {
        "torchref__checker__oracles__kinks": "from torchref.checker.oracles import bisection",
        "torchref__checker__oracles__bisection": "from torchref.checker.execution import run, tape",
        "torchref__checker__execution__run": "import torchref.ops",
        "torchref__checker__execution__tape": "from torchref.checker.execution import run",
    }
    oracles, execution = "torchref.checker.oracles", "torchref.checker.execution"
    assert arrows(build(tmp_path, **rooms), "torchref.checker") == {(oracles, execution)}
