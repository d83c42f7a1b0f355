"""Custom ops of torch.library: registration by opcheck, and mathematics by the cross-check."""

from unittest import SkipTest

import pytest
import torch
from torch import Generator, Tensor

from torchref.testing import OpCase, claims_of, normal


def samples(g: Generator) -> tuple[tuple[Tensor], ...]:
    return ((normal(g, 4, 3),),)


def setup(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


def sine(name: str, factor: float = 1.0, dims: int = 2) -> OpCase:
    """A custom op; `factor` makes its gradient wrong, and `dims` the shape of its fake kernel."""

    @torch.library.custom_op(f"torchref_tests::{name}", mutates_args=())
    def op(x: Tensor) -> Tensor:
        return torch.sin(x)

    def backward(ctx, grad_y):
        return factor * grad_y * torch.cos(ctx.saved_tensors[0])

    op.register_fake(lambda x: x.new_empty(x.shape[:dims]))
    op.register_autograd(backward, setup_context=setup)
    return OpCase(op, torch.sin, samples, refuses={"vmap": "no rule is registered"})


RIGHT = sine("sine")


CLAIMS = {claim.name: claim for claim in claims_of([RIGHT])}


@pytest.mark.parametrize("name", sorted(CLAIMS.keys() - {"vmap"}))
def test_a_right_one_holds_its_claims(name: str) -> None:
    CLAIMS[name].check()


def test_vmap_is_refused_until_a_rule_is_registered() -> None:
    with pytest.raises(SkipTest, match="no rule is registered"):
        CLAIMS["vmap"].check()


def test_the_names_are_those_of_the_op_and_what_it_may_claim() -> None:
    assert str(CLAIMS["registration"]) == "sine-registration"
    assert "forward mode" not in CLAIMS


def test_registration_leaves_mathematics_to_the_cross_check() -> None:
    by_name = {claim.name: claim for claim in claims_of([sine("doubled", factor=2.0)])}
    by_name["registration"].check()
    with pytest.raises(AssertionError, match="constant-factor"):
        by_name["gradient"].check()


def test_a_fake_kernel_of_another_shape_is_seen_by_registration_alone() -> None:
    by_name = {claim.name: claim for claim in claims_of([sine("flat", dims=1)])}
    by_name["gradient"].check()
    with pytest.raises(AssertionError, match="registration"):
        by_name["registration"].check()
