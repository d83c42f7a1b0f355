"""What others say of the product of the factors, and how near is near enough."""
