"""A published Function or Triton kernel as a program uses it, and what its user would state."""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from tests.packages.published import Draw, Published
from torchref.checker.execution.arithmetic import is_floating

if TYPE_CHECKING:
    from tests.kernels.kernel import Kernel  # which needs Triton

PASSED_ON = ("tolerance",)
OF_THE_CALL = ("domain", "vary")  # they speak of the call's arguments, not of the Function's
FOR_A_KERNEL = 40.0  # seconds for one cross-check in the interpreter
NOT_ITS_GRADIENT = ("surrogate", "expect")


@dataclass(frozen=True)
class Used:
    """`inputs` are each with whether it requires grad; `always` are options of every report,
    `options` those that are stated for this case.
    """

    name: str
    call: Callable[..., Any]
    inputs: list[tuple[Any, bool]]
    truth: str  # "right", "wrong" or "not its gradient"
    because: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    culprit: str = ""  # of the Functions under a wrong call the one that is wrong

    @property
    def expected(self) -> bool:
        return self.truth == "not its gradient"


def of_packages(package: str) -> Iterator[Used]:
    """Raises pytest's Skipped, with the reason, where the package is not installed."""
    for case in importlib.import_module(f"tests.packages.of_{package}").FUNCTIONS:
        yield _published(case)


def _published(case: Published) -> Used:
    values = case.inputs(Draw(0, case.dtype))
    wrt = case.options.get("wrt")
    names = list(inspect.signature(case.call).parameters)
    inputs = [
        (x, is_floating(x) and (wrt is None or name in wrt))
        for name, x in zip(names, values, strict=False)
    ]
    options = {name: case.options[name] for name in PASSED_ON if name in case.options}
    if any(name in case.options for name in OF_THE_CALL):
        options["vary"] = False
    truth = "right" if case.right else "wrong"
    if any(name in case.options for name in NOT_ITS_GRADIENT):
        truth = "not its gradient"
    return Used(case.name, case.call, inputs, truth, case.because, options, culprit=case.culprit)


def of_kernels(package: str) -> Iterator[Used]:
    """The Triton kernels of a package; raises pytest's Skipped where it is not installed."""
    from tests.kernels.packages import kernels_of

    for kernel in kernels_of(package):
        values = kernel.drawn(torch.float32, 0)
        learnt = kernel.differentiable()
        inputs = [(x, name in learnt) for name, x in zip(kernel.arguments(), values, strict=True)]
        call = functools.partial(kernel.call, kernel.function.apply)
        because = "; ".join(f"{cause}: {why}" for cause, why in kernel.by_design.items())
        truth = "not its gradient" if kernel.by_design else "right"
        references = {kernel.function.__name__: functools.partial(_by_place, kernel)}
        always = {"vary": False, "seconds": FOR_A_KERNEL}
        yield Used(kernel.name, call, inputs, truth, because, {}, always, references)


def _by_place(kernel: "Kernel", *args: Any) -> Any:
    """The reference, called with the arguments of the Function."""
    names = enumerate(kernel.arguments())
    return kernel.reference(*(args[kernel.places.get(name, place)] for place, name in names))
