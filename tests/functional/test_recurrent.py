"""Recurrent cells and layers beside torch's: values, gradients, dtypes, what is refused."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

import torchref.functional as R
from tests.functional.recurrent_arguments import (
    CELLS,
    GATES,
    flat,
    joined,
    of_cell,
    of_layers,
)
from tests.functional.refusals import assert_refused, each_of
from tests.functional.side_by_side import assert_same, normal, value_and_gradients
from tests.ops.catalogue_cases import TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP

pytestmark = pytest.mark.filterwarnings(TORCH_MAKES_INSTANCES, TORCH_SCRIPTS_ITS_JVP)


def assert_torchs(name: str, arguments: tuple[Any, ...], *rest: Any) -> None:
    mine, torchs = (
        value_and_gradients(joined(getattr(library, name), arguments, *rest), *flat(arguments))
        for library in (R, torch)
    )
    assert_same(mine, torchs)


@pytest.mark.parametrize("has_biases", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_torchs(name: str, has_biases: bool) -> None:
    assert_torchs(name, of_cell(name, has_biases))


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_takes_one_row_without_a_batch(name: str) -> None:
    arguments = of_cell(name)
    x, hx, *others = arguments
    alone = [x[0], tuple(part[0] for part in hx) if isinstance(hx, tuple) else hx[0]]
    function = getattr(R, name)
    together, one = flat(function(x, hx, *others)), flat(function(*alone, *others))
    torch.testing.assert_close(one, [y[0] for y in together], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_takes_one_bias_of_the_two(name: str) -> None:
    *arguments, bias = of_cell(name)[:-1]
    for each in ({"b_ih": bias}, {"b_hh": bias}):
        both = {"b_ih": torch.zeros_like(bias), "b_hh": torch.zeros_like(bias)} | each
        mine, its = getattr(R, name)(*arguments, **each), getattr(torch, name)(*arguments, **both)
        torch.testing.assert_close(mine, its, rtol=1e-12, atol=1e-13)


SETTINGS = list(product((True, False), (1, 2), (True, False), (True, False)))


@pytest.mark.parametrize(("has_biases", "num_layers", "bidirectional", "batch_first"), SETTINGS)
@pytest.mark.parametrize("name", [*GATES, "lstm projected"])
def test_layers_are_torchs(
    name: str, has_biases: bool, num_layers: int, bidirectional: bool, batch_first: bool
) -> None:
    name, *projected = name.split()
    x, *others = of_layers(name, has_biases, num_layers, bidirectional, len(projected))
    x = x.transpose(0, 1) if batch_first else x
    rest = has_biases, num_layers, 0.0, True, bidirectional, batch_first
    assert_torchs(name, (x, *others), *rest)


@pytest.mark.parametrize("name", GATES)
def test_dropout_between_layers_is_torchs_of_the_same_seed(name: str) -> None:
    arguments = of_layers(name, True, 3, True)
    seen = []
    for library, train in product((R, torch), (True, False)):
        torch.manual_seed(0)
        outputs = getattr(library, name)(*arguments, True, 3, 0.5, train, True, False)
        seen.append(flat(outputs))
    torch.testing.assert_close(seen[:2], seen[2:], rtol=1e-12, atol=1e-13)
    assert not torch.equal(seen[0][0], seen[1][0])


@pytest.mark.parametrize("name", GATES)
def test_a_batch_of_none_is_torchs(name: str) -> None:
    x, hx, params = of_layers(name, True, 1, False)
    empty = tuple(part[:, :0] for part in hx) if isinstance(hx, tuple) else hx[:, :0]
    mine, torchs = (
        flat(getattr(library, name)(x[:, :0], empty, params, True, 1, 0.0, True, False, False))
        for library in (R, torch)
    )
    assert [y.shape for y in mine] == [y.shape for y in torchs]


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh"])
def test_the_second_order_through_layers_is_torchs(name: str) -> None:
    """gradgradcheck of the catalogue's tests holds for one layer: here they are joined."""
    arguments = of_layers(name, True, 2, True)
    rest = True, 2, 0.0, True, True, False

    def slopes(library: Any, *given: Tensor) -> Tensor:
        y = joined(getattr(library, name), arguments, *rest)(*given)
        first = torch.autograd.grad(y, given, normal(7, *y.shape), create_graph=True)
        return torch.cat([slope.flatten() for slope in first])

    mine, torchs = (
        value_and_gradients(partial(slopes, library), *flat(arguments)) for library in (R, torch)
    )
    assert_same(mine, torchs)


def torchs_arguments(name: str) -> list[tuple[str, bool]]:
    """Name and whether there is a default, of the form that takes no packed sequence."""
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        if schema.overload_name in ("", "input"):
            return [
                (
                    "input" if argument.name == "self" else argument.name,
                    argument.has_default_value(),
                )
                for argument in schema.arguments
            ]
    raise AssertionError(f"torch has no {name}")


@pytest.mark.parametrize("name", [*CELLS, *GATES, "cumsum", "logdet", "inverse"])
def test_the_signature_is_torchs(name: str) -> None:
    parameters = inspect.signature(getattr(R, name)).parameters.values()
    mine = [(p.name, p.default is not inspect.Parameter.empty) for p in parameters]
    assert [each for each in mine if each[0] != "out"] == torchs_arguments(name)


@pytest.fixture
def _forget_what_was_compiled() -> Iterator[None]:
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("_forget_what_was_compiled")
@pytest.mark.parametrize("name", ["lstm", "rnn_relu"])
def test_layers_compile_in_one_graph(name: str) -> None:
    arguments = of_layers(name, True, 1, True)
    function = joined(getattr(R, name), arguments, True, 1, 0.0, True, True, False)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    mine, eager = (value_and_gradients(each, *flat(arguments)) for each in (compiled, function))
    assert_same(mine, eager)


def test_vmap_over_weights_is_a_loop() -> None:
    """An ensemble of cells."""
    x, hx, *params = of_cell("gru_cell")
    many = [torch.stack((p, 2 * p)) for p in params]
    together = torch.func.vmap(lambda *ps: R.gru_cell(x, hx, *ps))(*many)
    one_by_one = [R.gru_cell(x, hx, *(p * factor for p in params)) for factor in (1, 2)]
    torch.testing.assert_close(together, torch.stack(one_by_one), rtol=1e-13, atol=1e-14)


REST = True, 1, 0.0, True, False, False
TWO_LAYERS = of_layers("gru", True, 2, False)[2]
REFUSED = {
    "a cell of three dimensions": (
        lambda: R.gru_cell(normal(0, 2, 3, 5), *of_cell("gru_cell")[1:]),
        ("gru_cell: input must be (N, in)", "(2, 3, 5)"),
    ),
    "one state for an LSTM": (
        lambda: R.lstm_cell(normal(0, 3, 5), normal(0, 3, 2), *of_cell("lstm_cell")[2:]),
        ("lstm_cell: hx must be two tensors", "a Tensor arrived"),
    ),
    "three states": (
        lambda: R.lstm_cell(normal(0, 3, 5), (normal(0, 3, 2),) * 3, *of_cell("lstm_cell")[2:]),
        ("lstm_cell: hx must be two tensors", "3 did"),
    ),
    "a state of another batch": (
        lambda: R.gru_cell(normal(0, 3, 5), normal(0, 4, 2), *of_cell("gru_cell")[2:]),
        ("gru_cell: hx must have a row of 2", "(4, 2)"),
    ),
    "weights of another gate count": (
        lambda: R.gru_cell(*of_cell("gru_cell")[:2], *of_cell("lstm_cell")[2:]),
        ("gru_cell: w_hh must have 3 rows", "(8, 2)"),
    ),
    "weights of other features": (
        lambda: R.gru_cell(normal(0, 3, 4), *of_cell("gru_cell")[1:]),
        ("gru_cell: w_ih must have shape (6, 4)", "(6, 5)"),
    ),
    "dtypes that differ": (
        lambda: R.gru_cell(normal(0, 3, 5).float(), *of_cell("gru_cell")[1:]),
        ("gru_cell: input and hx must have the same dtype",),
    ),
    "a sequence of no time": (
        lambda: R.gru(normal(0, 0, 3, 5), *of_layers("gru", True, 1, False)[1:], *REST),
        ("gru: input must be (time, batch, features)", "(0, 3, 5)"),
    ),
    "a sequence without a batch": (
        lambda: R.gru(normal(0, 4, 5), *of_layers("gru", True, 1, False)[1:], *REST),
        ("gru: input must be (time, batch, features)", "(4, 5)", "unsqueeze(1)"),
    ),
    "too few parameters": (
        lambda: R.gru(*of_layers("gru", False, 1, False), *REST),
        ("gru: params must be 4 for each layer", "2 arrived"),
    ),
    "states of too few layers": (
        lambda: R.gru(*of_layers("gru", True, 1, False)[:2], TWO_LAYERS, True, 2, *REST[2:]),
        ("gru: hx must have shape (2, 3, 'hidden')", "(1, 3, 2)"),
    ),
    "a sum of integers": (
        lambda: R.cumsum(torch.arange(3), 0),
        ("cumsum: input must be a real floating-point tensor", "torch.int64"),
    ),
    "a sum along nothing": (
        lambda: R.cumsum(torch.ones(3), 1),
        ("cumsum: dim must be a dimension of input", "(3,)"),
    ),
    "a weight of more dimensions": (
        lambda: R.linear_recurrence(torch.ones(3), torch.ones(2, 3)),
        ("linear_recurrence: input must have dimensions, and weight be broadcastable", "(2, 3)"),
    ),
    "a state of the shape of input": (
        lambda: R.linear_recurrence(torch.ones(2, 3), torch.ones(3), torch.ones(2, 3)),
        ("linear_recurrence: state must have the shape of input without dim",),
    ),
}


@each_of(REFUSED)
def test_what_does_not_fit_is_refused(call: Callable[[], Tensor], words: tuple[str, ...]) -> None:
    assert_refused(call, words)
