"""Text of Python's own documentation, character by character, and models of it."""
