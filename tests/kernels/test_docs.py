"""The kernel of docs/check/triton.md: what is shown of it is printed, and mended it is right."""

import os
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch

from tests.kernels import interpreter  # noqa: F401 - before the kernel: it says where that runs
from tests.page_contents import HOUSE, python

KERNEL, USE = python(HOUSE / "docs" / "check" / "triton.md")
COMMAND = [
    *("torchref", "check", "squared_relu.py:SquaredReLU"),
    *("--reference", "reference", "--inputs", "rand(4, 3)"),
]
BUG, MENDED = "mask=at < n - 1)", "mask=at < n)"


@pytest.mark.parametrize("kernel", [KERNEL.code, KERNEL.code.replace(BUG, MENDED)])
def test_it_prints_what_is_shown(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BUG in KERNEL.code
    name = f"squared_relu_{tmp_path.name}"  # Triton remembers a kernel by its file and place
    (tmp_path / f"{name}.py").write_text(kernel, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    torch.manual_seed(0)
    printed = StringIO()
    with redirect_stdout(printed):
        exec(USE.code.replace("from squared_relu", f"from {name}"), {})
    if kernel == KERNEL.code:
        assert printed.getvalue().startswith(USE.shown or "nothing is shown")
    else:
        assert printed.getvalue().startswith("SquaredReLU against reference: right\n")


def test_mended_its_command_is_right_in_the_interpreter_as_it_comes(tmp_path: Path) -> None:
    """Which has no bfloat16: what it computes there is not held against the gradient."""
    (tmp_path / "squared_relu.py").write_text(KERNEL.code.replace(BUG, MENDED), encoding="utf-8")
    page = (HOUSE / "docs" / "check" / "triton.md").read_text(encoding="utf-8")
    assert shlex.join(COMMAND).replace("'", '"') in page
    ended = subprocess.run(
        [sys.executable, "-m", *COMMAND],
        cwd=tmp_path,
        env={**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "in bfloat16 the forward is wrong too" in ended.stdout
