"""What is told of cross-checks: on the terminal, as JSON, as JUnit XML, as an exit status."""
