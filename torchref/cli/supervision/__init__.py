"""Processes in which the user's code may do anything, and the signals that are to end a command."""
