"""The command line that checks a Function, with its arguments filled in as far as they show."""

import ast
import shlex

from torchref.auditor.scan.found import Argument
from torchref.auditor.scan.reading import Reading

TENSOR = "randn(4, 3)"
INDICES = "randint(0, 3, (4,))"
OF_INDICES = frozenset(["idx", "index", "indices", "labels"])
BY_ANNOTATION = {"int": "1", "float": "0.5", "bool": "True"}


def check_call(reading: Reading) -> str | None:
    """`torchref check ADDRESS --inputs "..."`, or None where the address leads nowhere."""
    definition = reading.rule.definition
    if not definition.scope.reachable:
        return None
    filled = [(each, _value(each, reading)) for each in reading.rule.arguments]
    named = not reading.rule.takes_any_number
    inputs = ", ".join(
        f"{each.name}={value}" if named else value for each, value in filled if value is not None
    )
    call = f"torchref check {shlex.quote(definition.address)}"
    return f'{call} --inputs "{inputs}"' if inputs else call


def _value(argument: Argument, reading: Reading) -> str | None:
    """What stands for an argument; None where it is left to its default."""
    if argument.name.startswith("**"):
        return None
    default = _literal(argument.default)
    if argument.default == "None" and argument.name not in (reading.differentiable or ()):
        return "None"
    if isinstance(default, bool | int | float):
        return repr(default)
    if argument.default is not None and argument.default != "None":
        return None
    if argument.name in OF_INDICES:
        return INDICES
    for kind, value in BY_ANNOTATION.items():
        if (argument.annotation or "").partition(" ")[0] == kind:
            return value
    known = reading.differentiable
    is_other = known is not None and argument.name not in known
    return "1" if is_other and argument.name not in reading.tensors else TENSOR


def _literal(default: str | None) -> object:
    try:
        return ast.literal_eval(default) if default is not None else None
    except ValueError:
        return None
