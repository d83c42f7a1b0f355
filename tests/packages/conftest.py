"""Only the tests are collected: what they import needs the packages."""

from pathlib import Path

HERE = Path(__file__).parent
collect_ignore = [path.name for path in HERE.glob("*.py") if not path.name.startswith("test_")]
collect_ignore += [f"reproductions/{path.name}" for path in (HERE / "reproductions").glob("*.py")]
