"""Recurrent cells and layers in low precision and under autocast, beside torch's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref.functional as R
from tests.functional.recurrent_arguments import CELLS, GATES, flat, joined, of_cell, of_layers
from tests.functional.side_by_side import normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP
from torchref.functional.recurrent.kinds import KINDS

pytestmark = pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP)


LOW = [torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("name", CELLS)
def test_in_low_precision_the_error_is_at_most_twice_torchs(name: str, dtype: torch.dtype) -> None:
    arguments = of_cell(name)
    errors: dict[str, list[float]] = {"mine": [], "torchs": []}
    for seed in range(20):
        low = [normal(100 * seed + k, *x.shape).to(dtype) for k, x in enumerate(flat(arguments))]
        truth = value_and_gradients(
            joined(getattr(torch, name), arguments), *(x.double() for x in low)
        )
        for who, library in (("mine", R), ("torchs", torch)):
            seen = value_and_gradients(joined(getattr(library, name), arguments), *low)
            assert all(x.dtype == dtype for x in seen)
            errors[who] += [
                (x.double() - true).abs().max().item() for x, true in zip(seen, truth, strict=True)
            ]
    assert sum(errors["mine"]) <= sum(errors["torchs"])


def autocast_dtypes(library: Any, name: str, arrive: torch.dtype) -> list[torch.dtype]:
    if name in GATES:
        arguments, rest = of_layers(name, True, 1, False), (True, 1, 0.0, True, False, False)
    else:
        arguments, rest = of_cell(name), ()
    function = joined_dtypes(getattr(library, name), arguments, *rest)
    leaves = [x.to(arrive).requires_grad_() for x in flat(arguments)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = function(*leaves)
    grads = torch.autograd.grad([y.sum() for y in outputs], leaves)
    return [x.dtype for x in (*outputs, *grads)]


def joined_dtypes(function: Callable[..., Any], arguments: Any, *rest: Any) -> Callable:
    """As `joined`, with the outputs as they are."""
    seen: list[Tensor] = []

    def kept(*given: Any) -> Any:
        seen[:] = flat(function(*given))
        return seen

    whole = joined(kept, arguments, *rest)

    def of_flat(*given: Tensor) -> list[Tensor]:
        whole(*given)
        return list(seen)

    return of_flat


@pytest.mark.parametrize("arrive", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", [*CELLS, *GATES])
def test_autocast_gives_torchs_dtypes(name: str, arrive: torch.dtype) -> None:
    assert autocast_dtypes(R, name, arrive) == autocast_dtypes(torch, name, arrive)


@pytest.mark.parametrize("name", [*CELLS, *GATES])
def test_inside_an_op_autocast_is_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = KINDS[name.removesuffix("_cell")]
    op = kind.cell if name in CELLS else kind.layer
    forward, seen = op.forward, []

    def watched(*inputs: Any) -> Tensor:
        seen.append(torch.is_autocast_enabled("cpu"))
        return forward(*inputs)

    monkeypatch.setattr(op, "forward", staticmethod(watched))
    autocast_dtypes(R, name, torch.float32)
    assert seen == [False]
