"""The mistakes of learners are recognised, and the comparison tells of them."""

import json
import math

import pytest
import torch

from tests.checker.comparison.compared import network
from tests.checker.given import causes, normal
from tests.corpora.wrong_ops.numpy_mistakes import CONTROL, MISTAKES, Mistake
from tests.corpora.wrong_ops.numpy_network import autograd, page
from torchref import WrongGradientError, compare
from torchref.checker.causes.table import CAUSES


@pytest.mark.parametrize("mistake", [*MISTAKES, CONTROL], ids=lambda mistake: mistake.name)
def test_mistakes_of_learners(mistake: Mistake) -> None:
    comparison = compare(*mistake.gradients())
    assert comparison.verdict == mistake.verdict
    if mistake.verdict != "different":
        assert comparison.findings == ()
    else:
        assert causes(comparison)[0] in mistake.causes
        assert all(row.findings for row in comparison.rows if row.verdict == "different")


@pytest.mark.parametrize("seed", range(5))
def test_right_pages_of_other_seeds_are_close(seed: int) -> None:
    comparison = compare(page(seed=seed).gradients(), autograd(page(seed=seed)))
    assert comparison.verdict in ("exact", "close")
    assert comparison.findings == ()


class TestReport:
    def test_raise_if_different(self) -> None:
        comparison = compare([2 * normal(3)], [normal(3)])
        with pytest.raises(WrongGradientError) as raised:
            comparison.raise_if_different()
        assert str(raised.value) == str(comparison)
        compare([normal(300).float()], [normal(300)]).raise_if_different()

    def test_one_line_a_name_then_the_diagnosis(self) -> None:
        true = network()
        lines = str(compare(true | {"W1": 2 * true["W1"]}, true)).splitlines()
        assert lines[0] == "6 gradients: different"
        assert [line.split()[:2] for line in lines[1:7]] == [
            [name, "different" if name == "W1" else "exact"] for name in true
        ]
        assert "1. constant-factor in W1" in lines[7]

    @pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
    def test_to_dict_is_strict_json(self, mistake: Mistake) -> None:
        comparison = compare(*mistake.gradients())
        told = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
        assert told["verdict"] == comparison.verdict
        assert [row["name"] for row in told["rows"]] == [row.name for row in comparison.rows]
        assert {finding["cause"] for finding in told["findings"]} <= set(CAUSES)

    def test_complex_values_in_json(self) -> None:
        z = torch.tensor([1 + 2j], dtype=torch.complex128)
        (row,) = json.loads(json.dumps(compare([3 * z], [z]).to_dict(), allow_nan=False))["rows"]
        assert (row["manual"], row["reference"]) == ([3.0, 6.0], [1.0, 2.0])


class TestOneGradient:
    """What the rules for a single gradient see, they see here too."""

    def test_a_slope_that_a_given_value_explains(self) -> None:
        a1, grad_a1 = torch.sigmoid(normal(6, 4)), normal(6, 4, seed=1)
        comparison = compare(
            {"z1": grad_a1}, {"z1": grad_a1 * a1 * (1 - a1)}, values={"a1": a1.numpy()}
        )
        assert causes(comparison) == ["missing-local-derivative"]
        assert "missing: a1 (1 − a1)" in comparison.findings[0].evidence

    def test_rows_that_a_given_index_explains(self) -> None:
        index = torch.tensor([0, 2, 2, 5])
        true = normal(7, 3)
        manual = true.clone()
        manual[2] /= 2
        comparison = compare([manual], [true], values={"index": index})
        assert causes(comparison) == ["wrong-elements"]
        assert "index names more than once" in comparison.findings[0].evidence

    def test_one_wrong_entry_is_located_and_blames_no_layer(self) -> None:
        true = network()
        manual = true | {"W1": true["W1"].clone()}
        manual["W1"][3, 2] += 1
        comparison = compare(manual, true)
        assert causes(comparison) == ["wrong-elements"]
        assert comparison.findings[0].element == (3, 2)

    def test_zeros(self) -> None:
        assert causes(compare([torch.zeros(3, 2)], [normal(3, 2)])) == ["missing-gradient"]

    def test_the_reference_may_be_the_side_that_is_not_finite(self) -> None:
        true = normal(3, 4)
        true[1, 1] = math.nan
        comparison = compare([normal(3, 4)], [true])
        assert causes(comparison) == ["not-finite"]
        assert "it is the reference" in comparison.findings[0].evidence

    def test_complex(self) -> None:
        z = torch.complex(normal(4, 3), normal(4, 3, seed=1))
        assert compare([z.real], [torch.complex(z.real, torch.zeros(4, 3).double())]).verdict == (
            "exact"
        )
        assert causes(compare([z.real], [z])) == ["wrong-dtype"]
        assert causes(compare([z.conj()], [z])) == ["sign-flipped"]
        assert "conjugate" in compare([z.conj()], [z]).findings[0].evidence
        assert causes(compare([z * 3], [z]))[0] == "constant-factor"
