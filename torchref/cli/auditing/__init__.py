"""`torchref audit`: the program in a process of its own, and who watches it."""
