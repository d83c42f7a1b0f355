"""The most that tensors hold at once in a step: parameters, data, gradients, all between."""

import json
import tempfile
from collections.abc import Callable
from itertools import accumulate
from operator import itemgetter
from pathlib import Path

import torch

from experiments.benchmark.turns import Run, seconds_of


def peak_bytes(make_step: Callable[[], Run]) -> int:
    """What the first step alone needs is not counted; what making the step allocates is."""
    with torch.profiler.profile(profile_memory=True, acc_events=True) as profile:
        step = make_step()
        step()
        with torch.profiler.record_function("steps"):
            seconds_of(step, 2)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profile.export_chrome_trace(file.name)
        events = json.loads(Path(file.name).read_text())["traceEvents"]
    begins = next(event["ts"] for event in events if event.get("name") == "steps")
    memory = sorted((e for e in events if e.get("name") == "[memory]"), key=itemgetter("ts"))
    held = list(accumulate(event["args"]["Bytes"] for event in memory))
    return max(most for most, event in zip(held, memory, strict=True) if event["ts"] >= begins)
