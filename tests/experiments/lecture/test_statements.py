"""A statement that does not hold ends the experiment."""

import pytest
import torch

from experiments.lecture.statements import Statements


def test_the_error_is_relative_to_the_largest_entry() -> None:
    stated = Statements()
    stated.equal("close", torch.tensor([1e9, 1.0]), torch.tensor([1e9, 1.0 + 1e-4]))
    stated.equal("far", 1.0, 1.0 + 1e-9)
    assert [statement.holds for statement in stated.made] == [True, False]
    assert not stated.hold


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0])
def test_what_is_not_finite_or_has_the_wrong_sign_does_not_hold(
    wrong: float, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = Statements()
    stated.equal("∂L/∂w [x; 1]", wrong, 1.0)
    with pytest.raises(SystemExit) as stopped:
        stated.show()
    assert stopped.value.code == 1
    assert "∂L/∂w [x; 1]" in capsys.readouterr().out


def test_statements_that_hold_are_shown_and_nothing_stops() -> None:
    stated = Statements()
    stated.true("2 = 2", True)
    stated.show()
