"""What is said of bad input arrives whole."""

import copy
import pickle

import pytest

from torchref.errors import InputError

ERROR = InputError("rate must be positive", "-1 arrived", "0.1 is usual.")


@pytest.mark.parametrize("sent", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_it_arrives_in_another_process_as_it_was(sent) -> None:
    arrived = sent(ERROR)
    assert type(arrived) is InputError
    assert str(arrived) == str(ERROR) == "rate must be positive, but -1 arrived. 0.1 is usual."
