"""Arguments of a call as Python that means the same."""

import math

import pytest

from torchref.backprop.writer import Writer, identifier


@pytest.mark.parametrize(
    "argument", [0, -3, 2.5, 1e-300, math.inf, -math.inf, True, None, [1, [0.5, None]], (2, 3)]
)
def test_an_argument_is_written_as_itself(argument: object) -> None:
    read = eval(Writer().expression(argument))
    assert repr(read) == repr(list(argument) if isinstance(argument, tuple) else argument)


def test_not_a_number_is_written_too() -> None:
    assert math.isnan(eval(Writer().expression(math.nan)))


def test_a_constant_keeps_its_name_and_another_of_that_name_gets_a_number() -> None:
    writer, one, other = Writer(), object(), object()
    names = [writer.name("buffer", each) for each in (one, other, one)]
    assert names == ["buffer", "buffer_1", "buffer"]
    assert writer.namespace == {"buffer": one, "buffer_1": other}


@pytest.mark.parametrize(("name", "valid"), [("0.weight", "_0_weight"), ("a-b.c", "a_b_c")])
def test_names_of_parameters_are_made_identifiers(name: str, valid: str) -> None:
    assert identifier(name) == valid
    assert valid.isidentifier()
