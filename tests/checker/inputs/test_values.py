"""From the values given, those that trip real code: and only one tensor changes at a time."""

import pytest
import torch
from torch import Tensor

from tests.checker.given import case_of, normal, seeded
from torchref.checker.inputs.values import value_variations

LAYOUTS = {
    "contiguous": normal(4, 3),
    "transposed": normal(3, 4).T,
    "expanded": normal(1, 3).expand(4, 3),
    "vector": normal(7),
}


def varied(*inputs: Tensor, seed: int = 0) -> dict[str, dict[int, Tensor]]:
    case = case_of(lambda x, y=None, z=None: x, *inputs)
    return dict(value_variations(case, seeded(seed)))


@pytest.mark.parametrize("x", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize("seed", range(5))
def test_what_the_labels_say(x: Tensor, seed: int) -> None:
    before = x.clone()
    made = {
        label.removesuffix(" in x"): change[0] for label, change in varied(x, seed=seed).items()
    }
    assert torch.equal(x, before)
    assert all(value.shape == x.shape for value in made.values())
    assert int((made["a zero"] == 0).sum()) == 1
    assert int((made["two zeros"] == 0).sum()) in (1, 2)
    assert not made["zeros"].any()
    assert not made["a zero row"][0].any()
    assert made["a zero row"][1:].all()
    assert len(made["equal entries"].unique()) == 1
    assert len(made["ties"].unique()) < x.numel()
    assert torch.equal(made["equal rows"][0], made["equal rows"][-1])
    assert torch.equal(made["sorted entries"], x.sort(-1).values)
    assert bool((made["no negative entry"] >= 0).all())
    assert bool((made["no positive entry"] <= 0).all())
    assert torch.equal(made["the opposite signs"], -x)
    assert 0 <= float(made["entries from 0 to 1"].min()) < float(made["entries from 0 to 1"].max())
    assert float(made["entries from 0 to 1"].max()) <= 1
    assert float(made["large entries"].abs().max()) > 100 * float(x.abs().max())
    assert float(made["tiny entries"].abs().max()) < 1e-5 * float(x.abs().max())
    assert int(torch.isneginf(made["an entry of −∞"]).sum()) == 1
    assert int(torch.isposinf(made["an entry of +∞"]).sum()) == 1
    shuffled = made["entries in another order"]
    assert torch.equal(shuffled.reshape(-1).sort().values, x.reshape(-1).sort().values)


def test_constants_get_values_that_differ() -> None:
    x = torch.ones(4, 3, dtype=torch.float64)
    assert len(varied(x)["values that differ in x"][0].unique()) == 12
    assert "values that differ in x" not in varied(normal(4, 3))


def test_one_tensor_changes_at_a_time_and_then_all() -> None:
    made = varied(normal(4, 3), normal(2), torch.arange(3))
    together = [label for label, changes in made.items() if len(changes) > 1]
    assert together == ["all inputs 0", "all inputs 1"]
    assert {tuple(changes) for changes in made.values()} == {(0,), (1,), (0, 1)}
    assert "zeros in y" in made


def test_complex_and_empty_and_scalar_tensors() -> None:
    z = torch.randn(3, generator=seeded(0), dtype=torch.complex128)
    assert set(varied(z)) == {"zeros in x", "a zero in x"}
    assert varied(normal(0, 3)) == {}
    assert "a zero in x" in varied(normal())
    assert "a zero row in x" not in varied(normal())


def test_another_dtype_stays() -> None:
    made = varied(normal(4, 3).float())
    assert {change[0].dtype for change in made.values()} == {torch.float32}
