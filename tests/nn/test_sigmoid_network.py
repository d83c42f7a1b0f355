"""The network of the lectures: its layers' names, what it computes, its parts and its sizes."""

import numpy as np
import pytest
import torch

import torchref.nn
from tests.functional.refusals import assert_refused
from tests.random_inputs import seeded
from torchref.catalogue.entry import normal


def test_sigmoid_network_names_its_layers_as_the_lectures() -> None:
    network = torchref.nn.SigmoidNetwork((4, 3, 2))
    assert [name for name, _ in network.named_children()] == [
        *("linear1", "sigmoid1"),
        *("linear2", "sigmoid2"),
    ]
    shapes = {name: tuple(x.shape) for name, x in network.state_dict().items()}
    assert shapes == {
        "linear1.weight": (3, 4),
        "linear1.bias": (3,),
        "linear2.weight": (2, 3),
        "linear2.bias": (2,),
    }


def test_sigmoid_network_is_the_composition_that_it_says() -> None:
    network = torchref.nn.SigmoidNetwork([4, 3, 2]).double()
    x = normal(seeded(0), 5, 4)
    y = x
    for layer in (network.linear1, network.linear2):
        y = torch.sigmoid(y @ layer.weight.T + layer.bias)
    torch.testing.assert_close(network(x), y, rtol=1e-14, atol=1e-14)


def test_a_part_of_a_sigmoid_network_is_a_sequence_of_its_layers() -> None:
    network = torchref.nn.SigmoidNetwork((4, 3, 2))
    logits = network[:-1]
    assert [name for name, _ in logits.named_children()] == ["linear1", "sigmoid1", "linear2"]
    x = torch.ones(5, 4)
    assert torch.equal(torch.sigmoid(logits(x)), torch.sigmoid(network.linear2(network[:2](x))))
    assert network[0] is network.linear1


def test_sigmoid_network_takes_whole_numbers_of_any_kind() -> None:
    network = torchref.nn.SigmoidNetwork(tuple(np.array([4, 3, 2])))
    assert network.sizes == (4, 3, 2)
    assert {type(size) for size in network.sizes} == {int}


@pytest.mark.parametrize(
    "sizes", [(), (4,), (4, 0), (4, -3, 2), 4, (4, 2.5), (True, 2), "43"], ids=str
)
def test_sigmoid_network_refuses_sizes_that_are_none(sizes: object) -> None:
    words = "two or more positive whole numbers", repr(sizes), "SigmoidNetwork((4, 3, 2))"
    assert_refused(lambda: torchref.nn.SigmoidNetwork(sizes), words)
