"""The rotary embedding of positions."""

from torch import Tensor
from torch.nn import Module

from torchref import functional


class RotaryEmbedding(Module):
    """Pairs of features turned by their positions; see `torchref.functional.rotary_embedding`.

    Its tables for `positions` positions are no part of its state: they are made anew.

    >>> RotaryEmbedding(4, 16)(torch.ones(2, 8, 4)).shape
    torch.Size([2, 8, 4])
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self, features: int, positions: int, base: float = 10000.0, interleaved: bool = False
    ) -> None:
        super().__init__()
        self.features, self.base, self.interleaved = features, base, interleaved
        cos, sin = functional.rotary_tables(positions, features, base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, input: Tensor, positions: Tensor | None = None) -> Tensor:
        return functional.rotary_embedding(input, self.cos, self.sin, positions, self.interleaved)

    def extra_repr(self) -> str:
        return (
            f"features={self.features}, positions={len(self.cos)}, base={self.base}, "
            f"interleaved={self.interleaved}"
        )
