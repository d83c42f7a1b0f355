"""How each claim on an op is tried: an error says that it does not hold, and why."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from torchref.catalogue.op_case import Inputs
from torchref.testing.checked_op import CheckedOp, leaves_of, results
from torchref.testing.low_precision import largest, largest_error

Trial = Callable[[CheckedOp], None]
LOW = torch.bfloat16
UNLIKELY = 7_654_321
ROUNDINGS = 8  # of the largest term, beside the error of the twin: one for each step of a formula


def gradient(op: CheckedOp) -> None:
    """The op equals its twin, in value and gradient, at all inputs: the verdict is "right"."""
    op.report.raise_if_wrong()


def passed(name: str) -> Trial:
    """A check of the cross-check was made, and passed."""

    def trial(op: CheckedOp) -> None:
        made = {check.name: check for check in op.report.checks}.get(name)
        if made is None:
            raise AssertionError(f"it was not tried, beside what else was found:\n{op.report}")
        if made.status == "skipped":
            raise AssertionError(f"it was not tried: {made.note}")
        if made.status == "cannot tell":
            raise AssertionError(f"it cannot be told: {made.note}")
        if made.status != "passed":
            raise AssertionError(str(op.report))

    return trial


def compiles(op: CheckedOp) -> None:
    """`torch.compile` makes one graph of it, forward and backward, and changes no result."""
    torch.compiler.reset()
    compiled = torch.compile(op.call, fullgraph=True, backend="aot_eager")
    for inputs in op.samples:
        torch.testing.assert_close(
            results(compiled, inputs, op.seed), results(op.call, inputs, op.seed), equal_nan=True
        )


def autocasts(op: CheckedOp) -> None:
    """Under autocast to bfloat16 it errs no more than its twin does, and some roundings."""
    for drawn in op.samples:
        inputs = tuple(_single(x) for x in drawn)
        twin = op.case.options.get("surrogate", op.case.twin)
        exact, mine = results(op.call, inputs, op.seed), _under_autocast(op.call, inputs, op.seed)
        allowed = [0.0] * len(exact)
        with suppress(RuntimeError):  # torch's own refuse autocast here and there
            pairs = zip(
                _under_autocast(twin, inputs, op.seed), results(twin, inputs, op.seed), strict=True
            )
            allowed = [largest_error(low, high) for low, high in pairs]
        term = max([1.0, *(largest(x) ** 2 for x in inputs if isinstance(x, Tensor))])
        for got, true, twins in zip(mine, exact, allowed, strict=True):
            error = largest_error(got, true)
            most = 2 * twins + ROUNDINGS * torch.finfo(LOW).eps * max(term, largest(true))
            if error > most:
                raise AssertionError(
                    f"under autocast to bfloat16 it errs by {error:.3g}, of {largest(true):.3g}, "
                    f"and its twin by {twins:.3g}"
                )


def leaves_the_random_state(op: CheckedOp) -> None:
    """Neither forward nor backward draws a random number or seeds a generator."""
    for inputs in op.samples:
        devices = {x.device for x in inputs if isinstance(x, Tensor) and x.is_cuda}
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(UNLIKELY)  # to be the seed that an op sets
            before = _random_states(devices)
            results(op.call, inputs, op.seed)
            after = _random_states(devices)
        if not all(torch.equal(x, y) for x, y in zip(before, after, strict=True)):
            raise AssertionError("forward or backward moved the state of the random generator")


def is_registered(op: CheckedOp) -> None:
    """`torch.library.opcheck` finds the schema, the fake kernel and the autograd rule sound."""
    for inputs in op.samples:
        torch.library.opcheck(op.case.op, leaves_of(inputs))


TRIALS: dict[str, Trial] = {
    "gradient": gradient,
    **{name: passed(name) for name in ("second order", "low precision", "forward mode", "vmap")},
    "compile": compiles,
    "autocast": autocasts,
    "random state": leaves_the_random_state,
    "registration": is_registered,
}


def _single(x: object) -> object:
    return x.float() if isinstance(x, Tensor) and x.dtype == torch.float64 else x


def _under_autocast(function: object, inputs: Inputs, seed: int) -> tuple[Tensor, ...]:
    device = next((x.device.type for x in inputs if isinstance(x, Tensor)), "cpu")

    def call(*given: object) -> object:
        with torch.autocast(device, dtype=LOW):
            return function(*given)  # type: ignore[operator]  # an op or its twin

    return results(call, inputs, seed)


def _random_states(devices: set[torch.device]) -> list[Tensor]:
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in devices)]
