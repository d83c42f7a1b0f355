"""Custom ops of torch.library: registration by opcheck, and mathematics by the cross-check."""

import pytest
import torch
from torch import Generator, Tensor

from torchref.testing import OpCase, claims_of, normal


def samples(g: Generator) -> tuple[tuple[Tensor], ...]:
    return ((normal(g, 4, 3),),)


def setup(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


def sine(name: str, factor: float = 1.0, **registered: bool) -> OpCase:
    @torch.library.custom_op(f"torchref_tests::{name}", mutates_args=())
    def op(x: Tensor) -> Tensor:
        return torch.sin(x)

    def backward(ctx, grad_y):
        return factor * grad_y * torch.cos(ctx.saved_tensors[0])

    if registered.get("fake", True):
        op.register_fake(lambda x: x.new_empty(x.shape[: registered.get("dims", 2)]))
    op.register_autograd(backward, setup_context=setup)
    return OpCase(op, torch.sin, samples, refuses={"vmap": "no rule is registered"})


RIGHT = sine("sine")


@pytest.mark.parametrize("claim", claims_of([RIGHT]), ids=str)
def test_a_right_one_holds_all_claims(claim) -> None:
    if claim.name == "vmap":
        with pytest.raises(pytest.skip.Exception if False else Exception, match="is refused"):
            claim.check()
    else:
        claim.check()


def test_the_names_are_those_of_the_op_and_what_it_may_claim() -> None:
    names = [str(claim) for claim in claims_of([RIGHT])]
    assert "sine-registration" in names
    assert "sine-forward-mode" not in names


def test_registration_leaves_mathematics_to_the_cross_check() -> None:
    by_name = {claim.name: claim for claim in claims_of([sine("doubled", factor=2.0)])}
    by_name["registration"].check()
    with pytest.raises(AssertionError, match="constant-factor|factor"):
        by_name["gradient"].check()


def test_a_fake_kernel_of_another_shape_is_seen_by_registration_alone() -> None:
    by_name = {claim.name: claim for claim in claims_of([sine("flat", dims=1)])}
    by_name["gradient"].check()
    with pytest.raises(AssertionError, match="registration"):
        by_name["registration"].check()
