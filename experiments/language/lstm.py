"""An LSTM that reads a text, with a handwritten sweep back through time."""

from torch import Tensor

import torchref.nn as nn


class CharacterLSTM(nn.Module):
    """From numbers of characters (N, L) to the logits of the next ones (N, characters, L)."""

    def __init__(self, characters: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.lstm = nn.LSTM(width, width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(width, characters)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(self.embedding(x))
        return self.head(states).movedim(-1, 1)
