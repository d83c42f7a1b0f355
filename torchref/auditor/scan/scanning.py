"""The scan: from the name of a package to what its Functions lack."""

from torchref.auditor.scan.applications import applications
from torchref.auditor.scan.backward_lacks import backward_lacks
from torchref.auditor.scan.check_call import check_call
from torchref.auditor.scan.forward_lacks import forward_lacks
from torchref.auditor.scan.found import Application, Lack, ScannedFunction, Survey
from torchref.auditor.scan.names import Sources
from torchref.auditor.scan.reading import Reading
from torchref.auditor.scan.rules import Rule, rules_of
from torchref.auditor.scan.sources import find_sources


def scan(where: str) -> tuple[ScannedFunction, ...]:
    """Every Function that a package defines, and what each lacks, by its source alone.

    `where` is the name of a package, a module in it or its distribution, a folder, or a .py file.
    Nothing is imported. Said of a Function is what its source shows; what it leaves open is not.
    Raises `InputError` where there is no such package or no source of it.

    >>> [each.address for each in scan("torchref.ops.dropout")]
    ['torchref.ops.dropout:Dropout']
    """
    return survey(where).functions


def survey(where: str) -> Survey:
    """What `scan` finds, and beside it the files that could not be read."""
    sources = Sources(find_sources(where))
    applied = applications(sources)
    functions = tuple(
        _scanned(rule, sources, tuple(applied.get(rule.definition, ())))
        for rule in rules_of(sources)
    )
    return Survey(functions, tuple(sources.skipped), len(sources.scanned))


def _scanned(rule: Rule, sources: Sources, applied: tuple[Application, ...]) -> ScannedFunction:
    reading = Reading(rule, sources)
    definition = rule.definition
    return ScannedFunction(
        address=definition.address,
        file=definition.path,
        line=definition.node.lineno,
        style=rule.style,
        arguments=rule.arguments,
        applied=applied,
        lacks=_once([*forward_lacks(reading), *backward_lacks(reading)]),
        reachable=definition.scope.reachable,
        condition=definition.condition,
        check_call=check_call(reading),
    )


def _once(lacks: list[Lack]) -> tuple[Lack, ...]:
    """A loop is followed twice, and a line may do the same thing to several."""
    return tuple(dict.fromkeys(lacks))
