"""What the callbacks for other trainers share: when they measure and check, and what they say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from torchref.auditor import Audit, AuditReport, audit
from torchref.errors import InputError
from torchref.training.checks.live_check import SCORES, VERDICT
from torchref.training.integrations.judgement import judged
from torchref.training.log.step_scalars import gradient_norms, update_ratios

TEXT = "live_check"
LogScalars = Callable[[int, dict[str, float]], None]
LogText = Callable[[int, str], None]


class Watch:
    """Measures steps of optimisers, and cross-checks what one batch applies.

    `every` and `check_every` count steps of an optimiser, 0 is never; the other arguments are those
    of `Audit.report` and of `torchref.audit`. Raises `InputError` for what these do not take.
    """

    def __init__(
        self,
        every: int,
        check_every: int,
        references: Mapping[str, Any] | None,
        expect: Mapping[str, str] | None,
        memory: int,
        options: Mapping[str, Any],
    ) -> None:
        for name, given in (("every", every), ("check_every", check_every)):
            if not isinstance(given, int) or isinstance(given, bool) or given < 0:
                raise InputError(
                    f"{name} must be a whole number of steps, or 0 for never",
                    f"{given!r} arrived",
                    "50 and 500 are usual.",
                )
        self.every, self.check_every, self.memory = every, check_every, memory
        self.given = references or {}, expect or {}, options
        judged(audit(memory=memory), *self.given)  # of nothing: it refuses what it does not take
        self.steps: dict[Optimizer, int] = {}
        self.before: dict[Optimizer, dict[str, Tensor]] = {}  # in steps that are measured
        self.handles: list[RemovableHandle] = []
        self.audit: Audit | None = None  # while a batch is recorded
        self.checked_at = -1
        self.told: object = None  # what the last report said

    def attach(
        self, model: Module, optimizers: Iterable[Optimizer], steps: int, log: LogScalars
    ) -> None:
        """Measures from now on, where each optimiser has so many steps behind it."""
        self.detach()
        named = dict(model.named_parameters())
        for optimizer in optimizers:
            mine = {id(p) for group in optimizer.param_groups for p in group["params"]}
            own = {name: p for name, p in named.items() if id(p) in mine}
            self.steps[optimizer] = steps
            self._measure(optimizer, own, log)

    def _measure(self, optimizer: Optimizer, named: Mapping[str, Tensor], log: LogScalars) -> None:
        def before(*_: object) -> None:
            if self.every and (self.steps[optimizer] + 1) % self.every == 0:
                self.before[optimizer] = {name: p.detach().clone() for name, p in named.items()}

        def after(*_: object) -> None:
            self.steps[optimizer] += 1
            if optimizer not in self.before:
                return
            gradients = {name: p.grad for name, p in named.items() if p.grad is not None}
            weights = {name: p.detach() for name, p in named.items() if name in gradients}
            ratios = update_ratios(self.before.pop(optimizer), weights)
            log(self.steps[optimizer], gradient_norms(gradients) | ratios)

        # A step may run the backward itself: there are no gradients before it.
        self.handles += [
            optimizer.register_step_pre_hook(before),
            optimizer.register_step_post_hook(after),
        ]

    def begin_batch(self) -> None:
        """Records what the batch applies, where a check is due: at most once between two steps."""
        step = max(self.steps.values(), default=0)
        if not self.check_every or step % self.check_every or step == self.checked_at:
            return
        if self.audit is None:  # else the last batch was skipped
            self.checked_at = step
            self.audit = audit(memory=self.memory, calls=1).__enter__()

    def end_batch(self, log: LogScalars, log_text: LogText) -> None:
        """Checks what was recorded; the text is logged where it says something new."""
        if self.audit is None:
            return
        recorded = self._end_of_recording()
        with torch.enable_grad():
            report = judged(recorded, *self.given)
        log(self.checked_at, {VERDICT: SCORES[report.verdict]})
        if told_apart(report) != self.told:
            self.told = told_apart(report)
            log_text(self.checked_at, f"```\n{report}\n```")
            if report.verdict != "right":
                print(f"Live check at step {self.checked_at}:\n{report}", flush=True)

    def _end_of_recording(self) -> Audit:
        assert self.audit is not None
        recorded, self.audit = self.audit, None
        recorded.__exit__(None, None, None)
        return recorded

    def detach(self) -> None:
        """Leaves the optimisers alone, and ends a recording without a check."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()
        self.steps.clear()
        self.before.clear()
        if self.audit is not None:
            self._end_of_recording()


def told_apart(report: AuditReport) -> object:
    """What makes a report news: of each Function the verdict and the cause."""
    return tuple((row.name, row.verdict, row.cause) for row in report.rows)
