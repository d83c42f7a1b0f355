"""What is kept of a program while it runs."""
