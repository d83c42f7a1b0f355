"""Wrong gradients planted one at a time, to see which a test suite lets through."""
