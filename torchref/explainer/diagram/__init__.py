"""The drawing of a network: its values, its gradients, and the way of one of them."""
