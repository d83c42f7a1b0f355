"""Who knows the true gradient, and how near is near enough."""
