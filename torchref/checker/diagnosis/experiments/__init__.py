"""What the candidate answers to other cotangents and inputs."""
