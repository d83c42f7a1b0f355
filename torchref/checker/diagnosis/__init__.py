"""Naming the cause of a wrong gradient: from the faults of a run to its findings."""
