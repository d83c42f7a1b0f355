"""Tests of behaviour: what comparing the numbers of one backward cannot see."""

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

# Tried whatever the numbers say: they may be the reason for wrong numbers. The first that fails
# explains the failures of those after it.
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

# Tried once the first order is right: on a wrong one they would only say so again.
HIGHER_ORDER: dict[str, Probe] = {
    "low precision": low_precision,
    "second order": second_order,
    "forward mode": forward_mode,
    "vmap": vmap_agrees,
}

__all__ = ["BEHAVIOUR", "HIGHER_ORDER"]
