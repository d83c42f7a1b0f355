"""What the experiments of the lectures share."""
