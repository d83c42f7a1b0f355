"""The gradients of a training, checked."""
