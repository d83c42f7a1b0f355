"""The text that ships with Python itself, as numbers of characters, and a model that counts."""

import pydoc_data.topics
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from torchref.training import Examples

HELD_OUT = 0.1


@dataclass(frozen=True)
class Text:
    """A text, of which the last tenth is held out.

    >>> text = Text("abcabcabca")
    >>> text.decoded(text.encoded("cab"))
    'cab'
    """

    characters: str

    @classmethod
    def of_python(cls) -> "Text":
        """What `help("topics")` knows: some 450,000 characters, a few more in each Python."""
        topics = pydoc_data.topics.topics
        return cls("\n".join(topics[name] for name in sorted(topics)))

    @cached_property
    def alphabet(self) -> list[str]:
        return sorted(set(self.characters))

    def encoded(self, characters: str) -> Tensor:
        number = {character: n for n, character in enumerate(self.alphabet)}
        return torch.tensor([number[character] for character in characters])

    def decoded(self, numbers: Tensor) -> str:
        return "".join(self.alphabet[number] for number in numbers.tolist())

    @cached_property
    def parts(self) -> tuple[Tensor, Tensor]:
        """The numbers of the characters to learn from, and of those held out."""
        numbers = self.encoded(self.characters)
        end = round(len(numbers) * (1 - HELD_OUT))
        return numbers[:end], numbers[end:]

    def trigram_loss(self) -> float:
        """The mean of −ln p over the held-out characters, p(c | a, b) = (n_abc + 1) / (n_ab + V).

        The counts are those of the first part, and V is the size of the alphabet: add-one
        smoothing. The first two characters held out have no two before them, and do not count.
        """
        size = len(self.alphabet)
        counts = torch.zeros(size, size, size)
        learnt, held_out = (part.unfold(0, 3, 1).unbind(1) for part in self.parts)
        counts.index_put_(learnt, torch.ones(len(learnt[0])), accumulate=True)
        chance = (counts[held_out] + 1) / (counts.sum(-1)[held_out[:2]] + size)
        return -chance.log().mean().item()


def windows(numbers: Tensor, length: int, stride: int) -> Examples:
    """So many characters, `stride` apart, and for each of them the next one."""
    each = numbers.unfold(0, length + 1, stride)
    return Examples(each[:, :-1].contiguous(), each[:, 1:].contiguous())
