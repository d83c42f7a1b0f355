"""What is trained, and its twin."""
