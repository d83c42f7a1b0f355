"""An explanation as text, Markdown and LaTeX."""
