"""What a command line gives to be explained: a network, its numbers, and a place in it."""
