"""What the names of a function stand for, followed through its statements without running it."""
