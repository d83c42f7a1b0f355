"""What a program applies: every Function seen, kept, and cross-checked."""
