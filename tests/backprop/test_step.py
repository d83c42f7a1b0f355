"""The unrolled step: equal to the sweep bit for bit, for every input and after every change."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from tests.backprop.random_stacks import stacks
from tests.backprop.steps import EXACT, assert_step_is_right, grad_of, gradients, problem
from tests.ops.catalogue_cases import DEVICES
from torchref import nn
from torchref.backprop import Backprop, correspond, sweep
from torchref.backprop.step import MOST_PROGRAMS
from torchref.errors import InputError
from torchref.ops import Op


@settings(max_examples=150, deadline=None, derandomize=True)
@given(stacks())
def test_step_equals_sweep(drawn: tuple[nn.Sequential, nn.Module, Tensor, Tensor]) -> None:
    network, loss, x, target = drawn
    step = Backprop(network, loss)
    for _ in range(3):  # on other numbers, in the same buffers
        value = step(x, target)
        swept = sweep(network, loss, x, target)
        torch.testing.assert_close(value, swept.loss, **EXACT)
        assert set(gradients(network)) == set(swept.gradients)
        for name, gradient in swept.gradients.items():
            torch.testing.assert_close(gradients(network)[name], gradient, rtol=1e-13, atol=1e-15)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += torch.randn_like(parameter)
        x, target = torch.randn_like(x), torch.rand_like(target)
    # torch multiplies a single vector in place: that is swept and not unrolled.
    assert (step.source(x, target) is None) == (x.dim() == 1)


def test_the_loss_of_a_step_survives_the_next_step() -> None:
    network, loss, x, target = problem()
    step = Backprop(network, loss)
    first = step(x, target)
    value = first.item()
    step(2 * x, 1 - target)
    assert first.item() == value


def test_another_shape_or_layout_gets_its_own_program() -> None:
    network, loss, x, _ = problem()
    step = Backprop(network, loss)
    for inputs in (x, x[:3], x.T.contiguous().T, x[0], x.expand(2, 5, 4)):
        fitting = torch.rand(*inputs.shape[:-1], 2).double()
        assert_step_is_right(step, network, loss, inputs, fitting)


def test_what_views_one_layout_of_x_does_not_view_another() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.Sigmoid()).double()
    step = Backprop(network, nn.MSELoss())
    x, target = torch.rand(5, 2, 3).double(), torch.rand(5, 3).double()
    for inputs in (x, x.transpose(1, 2).contiguous().transpose(1, 2), x):
        assert_step_is_right(step, network, nn.MSELoss(), inputs, target)


def test_many_shapes_share_the_gradients_and_keep_few_programs() -> None:
    network, loss, _, _ = problem()
    step = Backprop(network, loss)
    for examples in (3, 5, *range(1, 2 * MOST_PROGRAMS), 3, 5):
        x, target = torch.rand(examples, 4).double(), torch.rand(examples, 2).double()
        assert_step_is_right(step, network, loss, x, target)
        memory = [grad_of(p).data_ptr() for p in network.parameters()]
        step(x[:2], target[:2])
        assert [grad_of(p).data_ptr() for p in network.parameters()] == memory
    assert len(step._programs) == MOST_PROGRAMS


def test_parameters_may_move_freeze_and_lose_their_grad() -> None:
    network, loss, x, target = problem()
    step = Backprop(network, loss)
    step(x, target)
    network.linear2.weight.data = network.linear2.weight.data.clone() + 1
    assert_step_is_right(step, network, loss, x, target)
    network.zero_grad(set_to_none=True)
    assert_step_is_right(step, network, loss, x, target)
    network.linear1.requires_grad_(False)
    network.zero_grad(set_to_none=True)
    assert_step_is_right(step, network, loss, x, target)
    network.load_state_dict({name: p + 1 for name, p in network.state_dict().items()})
    assert_step_is_right(step, network, loss, x, target)


def test_a_weight_that_is_turned_round_where_it_lies_is_seen() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((3, 3)).double()
    step, x, target = Backprop(network, nn.MSELoss()), torch.rand(5, 3), torch.rand(5, 3)
    step(x.double(), target.double())
    weight = network.linear1.weight
    where = weight.data_ptr()
    weight.data = weight.data.T
    assert weight.data_ptr() == where
    assert_step_is_right(step, network, nn.MSELoss(), x.double(), target.double())


def test_it_says_what_it_steps_through_and_what_it_has_unrolled() -> None:
    network, loss, x, target = problem()
    step = Backprop(network, loss)
    step(x, target)
    layers = "layers=('linear1', 'sigmoid1', 'linear2', 'sigmoid2')"
    assert repr(step) == f"Backprop({layers}, loss=BCELoss(), unrolled=[(5, 4)])"


def test_the_same_tensor_as_x_and_target_is_two_tensors() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((3, 2, 3)).double()
    step = Backprop(network, nn.MSELoss())
    x = torch.rand(5, 3).double()
    step(x, x)
    assert_step_is_right(step, network, nn.MSELoss(), x, torch.rand(5, 3).double())


def test_a_layer_used_twice_gets_the_sum_of_both_gradients() -> None:
    torch.manual_seed(0)
    shared = nn.Linear(3, 3).double()
    network = nn.Sequential(shared, nn.Tanh(), shared, nn.Sigmoid())
    x, target = torch.randn(5, 3).double(), torch.rand(5, 3).double()
    step = Backprop(network, nn.MSELoss())
    for _ in range(2):
        assert_step_is_right(step, network, nn.MSELoss(), x, target)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_dtypes_and_devices(device: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((4, 3, 2)).to(device, dtype)
    x, target = torch.rand(5, 4).to(device, dtype), torch.rand(5, 2).to(device, dtype)
    for loss in (nn.MSELoss(), nn.SquaredError("half_sum")):
        assert_step_is_right(Backprop(network, loss), network, loss, x, target)
        assert all(grad_of(p).dtype == dtype for p in network.parameters())


def test_x_may_require_a_gradient_and_gets_none() -> None:
    network, loss, x, target = problem()
    x.requires_grad_()
    step = Backprop(network, loss)
    assert not step(x, target).requires_grad
    assert not step(x, target).requires_grad
    assert x.grad is None


def test_what_is_unrolled_in_inference_mode_serves_outside_it() -> None:
    network, loss, x, target = problem()
    step = Backprop(network, loss)
    with torch.inference_mode():
        step(x, target)
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    assert_step_is_right(step, network, loss, x, target)


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam])
def test_torchs_optimisers_follow_the_same_path(optimiser: type[torch.optim.Optimizer]) -> None:
    network, loss, x, target = problem()
    twin, *_ = problem()
    step = Backprop(network, loss)
    mine, its = optimiser(network.parameters(), lr=0.1), optimiser(twin.parameters(), lr=0.1)
    for _ in range(50):
        mine.zero_grad()
        step(x, target)
        mine.step()
        its.zero_grad()
        loss(twin(x), target).backward()
        its.step()
    for p, q in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-9, atol=1e-11)


class SignByValue(Op):
    """|x|, decided by looking at the numbers: not repeatable on other numbers."""

    @staticmethod
    def forward(x):
        return x if bool((x > 0).all()) else -x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.sign = 1 if output is inputs[0] else -1

    @staticmethod
    def backward(ctx, grad_y):
        return grad_y * ctx.sign


class LooksAtNumbers(nn.Identity):
    """A layer that computes `SignByValue`."""

    def forward(self, input: Tensor) -> Tensor:
        return input.abs()


def test_an_op_that_looks_at_numbers_is_swept_and_never_unrolled() -> None:
    correspond(LooksAtNumbers, SignByValue)
    network = nn.Sequential(nn.Linear(2, 1, bias=False), LooksAtNumbers())
    nn.init.ones_(network[0].weight)
    step = Backprop(network, nn.SquaredError())
    x, target = torch.ones(1, 2), torch.zeros(1, 1)
    assert step.source(x, target) is None
    for sign in (1, -1):
        step(sign * x, target)
        assert network[0].weight.grad.tolist() == [[4.0, 4.0]]


def test_inputs_are_admitted_by_the_layers() -> None:
    network, loss, x, target = problem()
    step = Backprop(network, loss)
    with pytest.raises(InputError, match="all entries of target must lie in"):
        step(x, 2 + target)
    with pytest.raises(InputError, match="backprop: x must be a tensor, but a list arrived"):
        step([1.0, 2.0], target)
    with pytest.raises(InputError, match="backprop: target must be a tensor, but it is None"):
        step(x, None)
    step(x, target)
    with pytest.raises(InputError, match="same dtype"):
        step(x.float(), target)
    with pytest.raises(InputError, match="autocast"), torch.autocast("cpu", torch.bfloat16):
        Backprop(network.float(), nn.MSELoss())(x.float(), target.float())
