"""The pictures of the README, and what retakes them."""
