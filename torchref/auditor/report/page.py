"""An audit as one page of HTML that needs nothing else: no scripts, no other files."""

from collections.abc import Mapping
from typing import Any

from torchref.auditor.report.report import AuditReport
from torchref.auditor.report.text import shapes_told, story


def page(report: AuditReport, document: Mapping[str, Any]) -> str:
    """The page; `document` says which program it was, and with which versions and seed."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("torchref.auditor.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
    )
    template = templates.get_template("page.html.jinja")
    return template.render(report=report, document=document, shapes_told=shapes_told, story=story)
