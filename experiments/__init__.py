"""Experiments: each a flat script, run as `python -m experiments.NAME`."""
