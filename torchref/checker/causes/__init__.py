"""The causes: what each means, and what a gradient looks like that has it."""
