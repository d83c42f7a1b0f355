"""Sources to scan, and what the scan says that their Functions lack."""

from pathlib import Path
from textwrap import dedent

from torchref.auditor.scan import ScannedFunction

HEAD = "import torch\nfrom torch.autograd import Function\nfrom torch.autograd.function import "
HEAD += "once_differentiable\n"


def write(folder: Path, **texts: str) -> Path:
    """`pk__a="..."` is pk/a.py, and every folder below has an __init__.py."""
    for name, text in texts.items():
        file = folder.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        for above in file.relative_to(folder).parents:
            if above != Path():
                (folder / above / "__init__.py").touch()
    return folder


def traits(function: ScannedFunction) -> set[str]:
    return {lack.trait for lack in function.lacks} - {"no setup_context"}
