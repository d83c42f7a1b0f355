"""How the wrong gradients of several parameters relate."""
