"""`torchref explain` in this process."""

from typer.testing import CliRunner

from torchref.cli import app


def run(*arguments: str) -> tuple[int, str]:
    """Its exit status, and what it has printed."""
    result = CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
    return result.exit_code, result.output
