"""What is measured of a step of an optimiser: how large the gradients are, and the update."""

from collections.abc import Mapping

import torch
from torch import Tensor


def gradient_norms(gradients: Mapping[str, Tensor]) -> dict[str, float]:
    """The norm of each gradient, by the tag gradient_norm/name.

    >>> gradient_norms({"weight": torch.tensor([3.0, 4.0])})
    {'gradient_norm/weight': 5.0}
    """
    return {f"gradient_norm/{name}": norm(gradient) for name, gradient in gradients.items()}


def update_ratios(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, float]:
    """|Δw| / |w| of a step, by the tag update_ratio/name: about 1e-3 where the rate fits.

    Weights that were all 0 have no ratio.

    >>> update_ratios({"weight": torch.tensor([3.0, 4.0])}, {"weight": torch.tensor([3.0, 4.5])})
    {'update_ratio/weight': 0.1}
    """
    return {
        f"update_ratio/{name}": norm(w - before[name]) / norm(before[name])
        for name, w in after.items()
        if name in before and before[name].any()
    }


def norm(x: Tensor) -> float:
    """In float32 at least: bfloat16 has three digits."""
    x = x.coalesce().values() if x.is_sparse else x
    return torch.linalg.vector_norm(x, dtype=torch.promote_types(x.dtype, torch.float32)).item()
