"""Running candidate and reference at one set of inputs."""
