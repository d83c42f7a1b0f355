"""Ctrl-C beside the command itself: while its answers to signals are set, and in an import."""

import os
import signal
import sys
from types import FrameType
from typing import Any

import pytest

from torchref import cli

TOLD = "interrupted: what was not tried by then was not checked\n"


@pytest.mark.parametrize("moment", ["__enter__", "__exit__"])
def test_ctrl_c_beside_the_command_is_told(run: Any, moment: str) -> None:
    """Of `reader_awaited`, which is entered after Ctrl-C is answered to, and left before."""

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        called_by = frame.f_back.f_code if frame.f_back else None
        is_called = event == "call" and frame.f_code.co_name == moment
        if is_called and called_by is cli.main.__code__ and cli.STOPPED.came == []:
            seen.append(moment)
            if len(seen) == (2 if moment == "__enter__" else 1):
                os.kill(os.getpid(), signal.SIGINT)

    seen: list[str] = []
    before = sys.getprofile()
    sys.setprofile(interrupt)
    try:
        status, _, err = run("--version")
    finally:
        sys.setprofile(before)
    assert (status, err) == (130, TOLD)


class Named:
    """As a field of a dataclass: what is raised as a class takes it in becomes an error."""

    def __set_name__(self, owner: type, name: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_that_a_class_turns_into_an_error_is_told(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rich does, which is imported for the help and for tables."""
    monkeypatch.setattr(cli, "app", lambda: type("Column", (), {"cells": Named()}))
    status, _, err = run("--help")
    assert (status, err) == (130, TOLD)
