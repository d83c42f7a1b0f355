"""What has sections can be shown in every form of output."""

from abc import abstractmethod
from collections.abc import Iterable
from os import PathLike
from typing import Any

from torchref.errors import not_writable
from torchref.explainer.document.forms import as_html, as_latex, as_markdown, as_text
from torchref.explainer.document.picture import figure
from torchref.explainer.document.sections import Section


class Shown:
    """Text, Markdown, LaTeX and a picture of `sections`; `print` shows the text."""

    @abstractmethod
    def sections(self) -> Iterable[Section]:
        """What is said, in order."""

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__  # what a console shows

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html(self.sections())

    def text(self, width: int | None = None) -> str:
        """Tables for a terminal: as wide as this one, or 100 columns where there is none."""
        return as_text(self.sections(), width)

    def markdown(self) -> str:
        return as_markdown(self.sections())

    def latex(self) -> str:
        """A document that LaTeX compiles."""
        return as_latex(self.sections())

    def figure(self) -> Any:
        """The same as a matplotlib figure, as TensorBoard's `add_figure` takes it."""
        return figure(self.sections())

    def save_png(self, file: str | PathLike[str]) -> None:
        """A picture of it, drawn by matplotlib.

        Raises `InputError` where the file cannot be written.
        """
        drawn = self.figure()
        try:
            drawn.savefig(file, dpi="figure", format="png")
        except OSError as error:
            raise not_writable("The picture", file, error) from error
