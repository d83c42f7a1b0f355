"""What stands for a full disk: on Linux /dev/full takes nothing that is written to it."""

from pathlib import Path

import pytest

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(
    not FULL.exists(), reason="this system has no /dev/full to stand for a full disk"
)
