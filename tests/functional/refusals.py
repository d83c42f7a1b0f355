"""Calls with bad input, each refused with a message that has what tells most."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from torchref.errors import InputError

Refused = Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]]


def each_of(refused: Refused) -> pytest.MarkDecorator:
    """A test of each `call` and the `words` of its message, by the name of the case."""
    return pytest.mark.parametrize(("call", "words"), refused.values(), ids=list(refused))


def assert_refused(call: Callable[[], Any], words: Iterable[str]) -> None:
    with pytest.raises(InputError) as refused:
        call()
    message = str(refused.value)
    for word in words:
        assert word in message, message
