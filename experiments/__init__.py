"""Experiments: each a flat script, run as `python -m experiments.NAME`."""

import sys
from importlib.util import find_spec

if missing := [name for name in ("sklearn", "matplotlib") if find_spec(name) is None]:
    fix = "pip install -c constraints.txt -e '.[experiments]'"
    print(f"Error: The experiments need {' and '.join(missing)}. {fix}", file=sys.stderr)
    raise SystemExit(2)
