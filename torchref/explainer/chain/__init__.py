"""The chain rule of one parameter."""
