"""The user's objects by their address, and what is said where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torchref.cli.targets.loading import load
from torchref.errors import InputError

pytestmark = pytest.mark.usefixtures("_modules_kept")


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_file_finds_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "neighbour_of_it.py", "two = 2")
    file = write(tmp_path / "it_of_mine.py", "import neighbour_of_it\nclass A:\n    b = 1")
    assert load(f"{file}:neighbour_of_it.two", "TARGET") == 2
    assert load(f"{file}:A.b", "TARGET") == 1


def test_a_file_of_a_package_is_its_module(tmp_path: Path) -> None:
    write(tmp_path / "mypackage" / "__init__.py", "")
    write(tmp_path / "mypackage" / "sizes.py", "three = 3")
    file = write(tmp_path / "mypackage" / "deep.py", "from .sizes import three\nname = __name__")
    assert load(f"{file}:three", "TARGET") == 3
    assert load(f"{file}:name", "TARGET") == "mypackage.deep"


@pytest.mark.parametrize("name", ["torch.py", "pytest.py", "with-dash.py", "json.py"])
def test_a_file_named_as_another_module_is_itself(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, "mine = []")
    assert load(f"{file}:mine", "TARGET") is load(f"{file}:mine", "TARGET")


def test_a_module_beside_which_one_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "beside_me.py", "four = 4")
    monkeypatch.chdir(tmp_path)
    assert load("beside_me:four", "TARGET") == 4
    assert load("beside_me.py:four", "TARGET") == 4


@pytest.mark.parametrize(
    ("address", "text", "told"),
    [
        ("", "", "must be FILE.py:NAME or PACKAGE.MODULE:NAME, but '' arrived"),
        ("FILE", "", "be FILE.py:NAME"),
        ("FILE:", "", "be FILE.py:NAME"),
        (":name", "", "be FILE.py:NAME"),
        ("FILE:Swich", "class Swish: ...", "it has no Swich. Did you mean Swish?"),
        ("FILE:Swish.aply", "class Swish:\n    apply = 1", "Did you mean Swish.apply?"),
        ("FILE:x", "raise RuntimeError('no luck')", "RuntimeError came out of it: no luck"),
        ("FILE:x", "import sys; sys.exit(3)", "SystemExit came out of it: 3"),
        ("FILE:x", "def (", "SyntaxError came out of it"),
        ("FILE:x", "import not_installed_here", "No module named 'not_installed_here'"),
        ("not_there_at_all:x", "", "there is no not_there_at_all. Install it"),
        ("torch.not_there:x", "", "there is no torch.not_there. A name in a module stands after"),
        ("FILE::", "", "bad_address.py:NAME."),
        ("not_there.py:x", "", "not_there.py is not there"),
        ("FOLDER/:x", "", "is a folder"),
        ("a..b:x", "", "there is no a"),
    ],
)
def test_bad_addresses_are_told(tmp_path: Path, address: str, text: str, told: str) -> None:
    file = write(tmp_path / "bad_address.py", text)
    address = address.replace("FILE", str(file)).replace("FOLDER", str(tmp_path))
    with pytest.raises(InputError) as raised:
        load(address, "TARGET")
    assert str(raised.value).startswith("TARGET must")
    assert told in str(raised.value)


def test_a_file_that_failed_is_tried_again(tmp_path: Path) -> None:
    file = write(tmp_path / "json.py", "1 / 0")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        load(f"{file}:x", "TARGET")
    file.write_text("x = 50000")
    assert load(f"{file}:x", "TARGET") == 50000


@pytest.mark.slow
def test_a_file_apart_travels_to_another_process(tmp_path: Path) -> None:
    file = write(
        tmp_path / "with-dash.py",
        "import torch\nclass Twice(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x):\n        return 2 * x\n"
        "    @staticmethod\n    def backward(ctx, g):\n        return 2 * g\n",
    )
    code = (
        "import torch, torchref; from torchref.cli.targets.loading import load; "
        f"f = load({f'{file}:Twice'!r}, 'TARGET'); "
        "print(torchref.crosscheck(f, inputs=(torch.ones(2),), isolate=True).verdict)"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, env=os.environ)
    assert done.stdout == "right\n", done.stderr
