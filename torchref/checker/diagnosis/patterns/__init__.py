"""How a wrong gradient relates to the true one."""
