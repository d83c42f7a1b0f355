"""Functions found and judged by their source, without importing it."""

from torchref.auditor.scan.found import Application, Argument, Lack, ScannedFunction, Survey
from torchref.auditor.scan.scanning import scan, survey

__all__ = ["Application", "Argument", "Lack", "ScannedFunction", "Survey", "scan", "survey"]
