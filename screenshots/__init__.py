"""What retakes the pictures of README and docs."""
