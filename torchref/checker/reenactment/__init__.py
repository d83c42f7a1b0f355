"""A right backward played again with one mistake in it: which mistake gives what was claimed?"""

from torchref.checker.reenactment.own_forward import own_forward
from torchref.checker.reenactment.search import Explanation, one_mistake

__all__ = ["Explanation", "one_mistake", "own_forward"]
