"""`torchref --help`: at once, and it says of each command what the command says of itself."""

import inspect
import subprocess
import sys

import pytest

from torchref.cli import COMMANDS, loaded


def test_the_help_and_the_version_need_no_torch() -> None:
    look = "import sys\nfrom torchref.cli import app\n"
    for option in ("--help", "--version"):
        look += f"try: app([{option!r}])\nexcept SystemExit as end: assert end.code == 0\n"
    look += "print('heavy:', *{'torch', 'numpy', 'matplotlib'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    *printed, last = ended.stdout.splitlines()
    assert last == "heavy:"
    assert all(any(f" {name} " in line for line in printed) for name in COMMANDS)
    assert any(line.startswith("torchref ") and "(torch " in line for line in printed)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_begins_its_help_as_it_is_listed(name: str) -> None:
    command = loaded(name)
    first, *_ = inspect.cleandoc(command.help).split("\n\n")
    assert " ".join(first.split()) == COMMANDS[name]
    assert "Examples:" in command.epilog


def test_an_unknown_command_is_told_what_there_is(run) -> None:
    status, _, err = run("croscheck")
    assert status == 2
    assert f"a command must be one of {', '.join(COMMANDS)}, but 'croscheck' arrived." in err
    assert err.endswith("Did you mean crosscheck?\n")
