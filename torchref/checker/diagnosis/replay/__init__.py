"""A right backward played again with one mistake in it: which mistake gives what was claimed?"""

from torchref.checker.diagnosis.replay.search import Explanation, one_mistake

__all__ = ["Explanation", "one_mistake"]
