"""What the benchmarks are made of: who is measured, on what, and how."""
