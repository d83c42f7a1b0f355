"""The cross-check of what was kept, and what is made of it."""
