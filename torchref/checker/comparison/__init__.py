"""What `compare` does with two lists of gradients."""
