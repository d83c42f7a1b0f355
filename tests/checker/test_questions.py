"""A wrong gradient that is the right answer to another question."""

import torch

from tests.checker.scenes import seeded
from tests.wrong_ops.rule import Rule
from torchref import crosscheck


def complex_normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.complex128)


def test_a_complex_factor_that_is_not_conjugated() -> None:
    class Product(Rule):
        @staticmethod
        def forward(z, w):
            return z * w

        @staticmethod
        def gradients(grad_y, z, w):
            return grad_y * w, grad_y * z.conj()

    (finding, *_) = crosscheck(
        Product, torch.mul, (complex_normal(4, 3), complex_normal(4, 3, seed=1))
    ).findings
    assert (finding.cause, finding.argument) == ("sign-flipped", "z")
    assert "for w conjugated" in finding.evidence
