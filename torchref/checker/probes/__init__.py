"""Tests of behaviour: what comparing the numbers of one backward cannot see."""

from collections.abc import Collection

from torchref.checker.probes.forward_mode import forward_mode
from torchref.checker.probes.layouts import cotangent_layouts, input_layouts
from torchref.checker.probes.linearity import linearity, undefined_cotangents
from torchref.checker.probes.mutation import mutation, uninitialised_memory
from torchref.checker.probes.precision import low_precision
from torchref.checker.probes.probe import Probe
from torchref.checker.probes.repetition import fresh_repeats, interleaved, repeats_on_one_tape
from torchref.checker.probes.requires_grad import requires_grad_subsets
from torchref.checker.probes.second_order import second_order
from torchref.checker.probes.transforms import vmap_agrees
from torchref.checker.report.dependence import UNREPEATABLE

# Tried before the variations: they may be the reason for wrong numbers there.
BEHAVIOUR: dict[str, Probe] = {
    "uninitialised memory": uninitialised_memory,
    "mutation": mutation,
    "repetition": fresh_repeats,
    "retained graph": repeats_on_one_tape,
    "interleaved calls": interleaved,
    "linearity": linearity,
    "unused outputs": undefined_cotangents,
    "layout of grad_output": cotangent_layouts,
    "layout of inputs": input_layouts,
    "subsets that require grad": requires_grad_subsets,
}

# Tried last: each needs more than one backward.
HIGHER_ORDER: dict[str, Probe] = {
    "low precision": low_precision,
    "second order": second_order,
    "forward mode": forward_mode,
    "vmap": vmap_agrees,
}

# The causes beside which a check means nothing, where they are more or less than UNREPEATABLE.
OVERWRITTEN = UNREPEATABLE | {"mutates-input", "mutates-saved"}
ENDED_BY: dict[str, Collection[str]] = {
    "uninitialised memory": (),
    "mutation": (),
    "retained graph": OVERWRITTEN,
    "linearity": UNREPEATABLE | {"mutates-input"},
    "unused outputs": OVERWRITTEN | {"ignores-grad-output", "not-linear-in-grad-output"},
    "low precision": UNREPEATABLE | {"forward-wrong"},
    "second order": OVERWRITTEN | {"precision-loss"},
    "forward mode": UNREPEATABLE | {"forward-wrong"},
}

# They hold gradients to others that follow from them.
NEED_RIGHT_GRADIENT = {"low precision", "second order", "forward mode"}

# What one ordinary backward asks, and two orders: a process that ends in it is a finding. In others
# it leaves the verdict open.
HELD: dict[int, Collection[str]] = {
    1: {"mutation", "repetition", "linearity", "unused outputs", "layout of grad_output"}
    | {"subsets that require grad"}
}
HELD[2] = {*HELD[1], "retained graph", "second order"}

__all__ = ["BEHAVIOUR", "ENDED_BY", "HELD", "HIGHER_ORDER", "NEED_RIGHT_GRADIENT"]
