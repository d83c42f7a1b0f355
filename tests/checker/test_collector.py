"""The collector rests and wakes up, whatever happens meanwhile."""

import contextlib
import gc

import torch

from torchref import crosscheck
from torchref.checker.collector import collector_at_rest
from torchref.ops import Sigmoid


def test_it_wakes_up_even_after_an_error():
    with contextlib.suppress(KeyError), collector_at_rest():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_who_had_switched_it_off_finds_it_off():
    gc.disable()
    try:
        with collector_at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_small_crosscheck_lets_it_rest():
    def states(x):
        seen = set()
        crosscheck(Sigmoid, torch.sigmoid, (x,), progress=lambda _: seen.add(gc.isenabled()))
        return seen

    assert states(torch.randn(3, 2)) == {True, False}
    assert gc.isenabled()
