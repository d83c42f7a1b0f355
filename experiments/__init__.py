"""Experiments: each a flat script, run as `python -m experiments.NAME`."""

import signal
import sys
from importlib.util import find_spec

# While Python looks for the module to be run. Ctrl-C in the midst of an import has a traceback, and
# not always its own; there is nothing to save yet.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

if missing := [name for name in ("sklearn", "matplotlib") if find_spec(name) is None]:
    fix = "pip install -c constraints.txt -e '.[experiments]'"
    print(f"Error: The experiments need {' and '.join(missing)}. {fix}", file=sys.stderr)
    raise SystemExit(2)
