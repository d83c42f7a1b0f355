"""How the cross-check does on the kernels: who is accused, and which planted errors are caught.

python -m tests.kernels.measure [--vary] [--thorough] [--seeds 5] [--only NAME] [--held-out]

It prints a line for each kernel and dtype, the reports on what went otherwise than it should, and
the sums. With variations and probes it takes an hour in the interpreter.
"""

import argparse
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

import torch

from tests.kernels.judged import EndedError, Trial, judged
from tests.kernels.kernel import Kernel
from tests.kernels.packages import PACKAGES, kernels_of
from tests.kernels.planted import ERRORS, names, with_error
from torchref import Report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vary", action="store_true", help="try variations of the inputs")
    parser.add_argument("--thorough", action="store_true", help="probe how the kernels behave")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="part of the names of the kernels to try")
    parser.add_argument("--held-out", action="store_true", help="only those held out")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sums: Counter[str] = Counter()
    for kernel in _kernels(chosen.only, chosen.held_out):
        for dtype in ERRORS:
            trials = [
                Trial(seed, vary=chosen.vary, thorough=chosen.thorough or chosen.vary)
                for seed in range(chosen.seeds)
            ]
            reports = _reports(kernel, dtype, trials)
            accused = sum(report is None or report.verdict != "right" for report in reports)
            caught, named, tried = _planted(kernel, dtype)
            held_out = "held out" if kernel.held_out else ""
            precision = str(dtype).removeprefix("torch.")
            print(
                f"{kernel.name:30}{precision:10}accused {accused}/{len(reports)}  "
                f"caught {caught}/{tried}  named {named}/{tried}  {held_out}",
                flush=True,
            )
            for report in reports:
                if report is not None and report.verdict != "right":
                    print(f"  seed {report.seed}: {report}")
            sums.update(accused=accused, right=len(reports))
            sums.update(caught=caught, named=named, planted=tried)
    print(dict(sums))


def _kernels(part_of_name: str, held_out: bool) -> Iterator[Kernel]:
    for package in PACKAGES:
        for kernel in kernels_of(package):
            if part_of_name in kernel.name and kernel.held_out >= held_out:
                yield kernel


def _planted(kernel: Kernel, dtype: torch.dtype) -> tuple[int, int, int]:
    """How many errors are caught, how many with their argument named, and of how many."""
    each = [(name, error) for name in kernel.differentiable() for error in ERRORS[dtype]]
    trials = [Trial(function=with_error(kernel, *one, dtype)) for one in each]
    caught = named = 0
    for (argument, error), report in zip(each, _reports(kernel, dtype, trials), strict=True):
        wrong = report is not None and report.verdict == "wrong"
        caught += wrong
        if report is not None and wrong and names(report, argument):
            named += 1
        else:
            print(f"  {kernel.name} {dtype}: {argument}, {error}: {report}")
    return caught, named, len(each)


def _reports(kernel: Kernel, dtype: torch.dtype, trials: Sequence[Trial]) -> list[Report | None]:
    """None for a check that ended its process."""
    reports: list[Report | None] = []
    for trial in trials:
        try:
            reports += judged(kernel, dtype, [trial])
        except EndedError as ended:
            print(f"  {kernel.name}: {ended}")
            reports.append(None)
    return reports


if __name__ == "__main__":
    main()
