"""A large module is cross-checked in a bounded number of copies of its parameters."""

import os
import subprocess
import sys

# Ten million parameters are 80 MB in float64: a hundred copies of them are 8 GiB.
COPIES = 50

MODULE = """
import copy, resource, sys, torch
from torch import nn
from torchref import crosscheck

side = 700  # two layers of them have a million parameters
torch.set_num_threads(1)
module = nn.Sequential(nn.Linear(side, side), nn.Tanh(), nn.Linear(side, side))
peak = lambda: 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
report = crosscheck(module, copy.deepcopy(module), (torch.randn(4, side),), progress=True)
bytes_of_a_copy = 8 * sum(p.numel() for p in module.parameters())
print(report.verdict, (peak() - before) / bytes_of_a_copy)
"""


def test_a_million_parameters_in_fifty_copies_with_a_bar() -> None:
    """The peak is a process's own, so it is measured in a fresh one."""
    surroundings = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", MODULE], capture_output=True, text=True, env=surroundings, check=True
    )
    verdict, copies = done.stdout.split()
    assert verdict == "right"
    assert float(copies) < COPIES
    assert "Sequential: " in done.stderr
    assert "tried" in done.stderr
