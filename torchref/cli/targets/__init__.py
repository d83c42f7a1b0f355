"""What `torchref check` is given: objects by their address, and their cases."""
