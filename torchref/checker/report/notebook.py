"""Reports in a notebook: HTML with a style of its own, legible on light and dark pages."""

from functools import cache
from typing import Any


def html(template: str, **values: Any) -> str:
    """A template of the house filled in, with whatever the values hold escaped.

    template    its file, as seen from the folder of torchref
    """
    return str(_templates().get_template(template).render(**values))


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("torchref", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
