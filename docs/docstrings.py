"""Docstrings of the house as Markdown, for the pages of the interface.

A paragraph of aligned arguments becomes a list, a doctest a block of code. A name that a package
imports is that, though one of its modules is called the same.
"""

import re
from typing import Any

from griffe import Alias, Extension, Module, Object

ARGUMENT = re.compile(r"(?P<names>[\w*][\w*, ]*?) {2,}(?P<text>\S.*)")
CONTINUED = re.compile(r" {4,}(?P<text>\S.*)")


def as_markdown(docstring: str) -> str:
    """The paragraphs of a docstring, each in the form that Markdown keeps.

    >>> print(as_markdown("x     a tensor,\\n      of any shape\\ndim   an axis"))
    - **`x`**: a tensor, of any shape
    - **`dim`**: an axis
    """
    return "\n\n".join(map(_paragraph, docstring.split("\n\n")))


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(">>>"):
        return f"```pycon\n{text.strip()}\n```"
    items: list[str] = []
    for line in text.splitlines():
        if begins := ARGUMENT.fullmatch(line):
            items.append(f"- **`{begins['names']}`**: {begins['text']}")
        elif items and (goes_on := CONTINUED.fullmatch(line)):
            items[-1] += f" {goes_on['text']}"
        else:
            return text
    return "\n".join(items)


class OfTheHouse(Extension):
    """Rewrites what griffe has read, before it is rendered."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        _prefer_what_is_imported(pkg)


def _prefer_what_is_imported(module: Module) -> None:
    for name, imported in module.imports.items():
        member = module.members.get(name)
        if isinstance(member, Module) and imported != member.path:
            module.set_member(name, Alias(name, imported, parent=module))
            module.members[f"{name} (module)"] = member
    for inner in list(module.modules.values()):
        if not inner.is_alias:
            _prefer_what_is_imported(inner)
