"""From the text of an expression to the arguments of a call."""

import ast
from dataclasses import dataclass
from typing import Any

import torch

from torchref.cli.input_expression.evaluation import BEFORE, Evaluation, shown
from torchref.cli.input_expression.tensors import Source
from torchref.errors import InputError

MOST_CHARACTERS = 10_000
WRITE = 'Write --inputs "randn(4, 3), randn(3)".'
LINE_ENDS = dict.fromkeys(map(ord, "\r\n\f"), " ")  # so that all stands on one line


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call: those by place, and those by name."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def read_inputs(text: str, generator: torch.Generator, option: str = "--inputs") -> Arguments:
    """The arguments that an expression writes, with random numbers of the generator.

    Raises `InputError` for all that is not of the language, and says where it stands.

    >>> read_inputs("tensor([1., 2.]).to(bfloat16), eps=1e-5", torch.Generator())
    Arguments(positional=(tensor([1., 2.], dtype=torch.bfloat16),), named={'eps': 1e-05})
    >>> read_inputs("2 * randm(3)", torch.Generator())
    Traceback (most recent call last):
    torchref.errors.InputError: --inputs must call what there is, but randm(3) arrived at \
character 5. Did you mean randn?
    """
    line = text.translate(LINE_ENDS)
    call = _parsed(line, option)
    evaluation = Evaluation(line, option, Source(generator))
    positional = tuple(evaluation.value(node) for node in call.args)
    named: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in named:
            how = "by itself" if keyword.arg is None else f"once, as {keyword.arg}"
            raise evaluation.refused(keyword.value, f"give each argument {how}", WRITE)
        named[keyword.arg] = evaluation.value(keyword.value)
    return Arguments(positional, named)


def _parsed(line: str, option: str) -> ast.Call:
    """A call of all that the line holds, and nothing after its end."""
    must = f"{option} must be arguments with commas between"
    if len(line) > MOST_CHARACTERS:
        raise InputError(
            f"{option} must have at most {MOST_CHARACTERS:,} characters",
            f"{len(line):,} arrived",
            "Write a function that returns such inputs, and name it by --cases.",
        )
    try:
        parsed = ast.parse(f"{BEFORE}{line})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        why = str(error) or "it is nested too deeply"
        if isinstance(error, SyntaxError):
            place = min((error.offset or 0) - len(BEFORE), len(line))
            why = error.msg.partition(";")[0] + (f" at character {place}" if place > 0 else "")
        raise InputError(must, f"{shown(line)} is none: {why}", WRITE) from None
    if not (isinstance(parsed, ast.Call) and isinstance(parsed.func, ast.Name)):
        raise InputError(must, f"{shown(line)} arrived", WRITE)
    return parsed
