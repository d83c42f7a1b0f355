"""What is drawn at weights and neurons is what torch's autograd finds, on any layered network."""

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings

from tests.explainer.chain.random_networks import Problem, explained, problems
from torchref import explain, nn
from torchref.explainer.diagram.network import Diagram, Edge, diagram_of
from torchref.explainer.diagram.selection import Most

ALL = Most(10, 10)


def wrong_edges(diagram: Diagram, problem: Problem) -> list[Edge]:
    """Those whose value or gradient is another than that of torch's own backward."""
    network = copy.deepcopy(problem.network)
    problem.loss(network(problem.x), problem.target).backward()
    layers = [layer for layer in network if [*layer.parameters()]]
    wrong = []
    for column, layer in zip(diagram.columns[1:], layers, strict=True):
        weight, bias = layer.get_parameter("weight"), getattr(layer, "bias", None)
        for edge in column.edges:
            if edge.source is not None:
                true, at = weight, (edge.target, edge.source)
            elif isinstance(layer, nn.HomogeneousLinear):
                true, at = weight, (edge.target, weight.shape[1] - 1)
            else:
                true, at = bias, (edge.target,)
            assert true is not None
            assert true.grad is not None
            shown = (edge.value.value, edge.gradient.value) if edge.value else (0.0, 0.0)
            if shown != pytest.approx((true[at].item(), true.grad[at].item()), abs=1e-12):
                wrong.append(edge)
    return wrong


@settings(max_examples=40, deadline=None)
@given(problems(most_depth=4))
def test_every_weight_has_its_value_and_its_gradient(problem: Problem) -> None:
    diagram = diagram_of(explained(problem).view, None, ALL)
    edges = [edge for column in diagram.columns for edge in column.edges]
    assert len(edges) == sum(p.numel() for p in problem.network.parameters())
    assert not wrong_edges(diagram, problem)


def two_layers() -> Problem:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((2, 3, 2)).double()
    x, target = torch.rand(3, 2).double(), torch.rand(3, 2).double()
    return Problem(network, nn.SquaredError(), x, target, "linear1.weight", (2, 1))


def test_a_gradient_that_is_not_the_weights_own_is_seen() -> None:
    problem, other = two_layers(), two_layers()
    with torch.no_grad():
        other.network.get_parameter("linear2.weight")[1, 2] += 1e-6
    diagram = diagram_of(explained(problem).view, None, ALL)
    assert not wrong_edges(diagram, problem)
    assert wrong_edges(diagram, other)


def test_neurons_show_what_the_network_and_the_sweep_have_there() -> None:
    problem = two_layers()
    found = explain(problem.network, problem.loss, problem.x, problem.target, example=1)
    diagram = diagram_of(found.view, None, ALL)
    z = problem.network[0](problem.x)
    z.retain_grad()
    a = problem.network[1](z)
    problem.loss(problem.network[2:](a), problem.target).backward()
    assert z.grad is not None
    *hidden, constant = diagram.columns[1].nodes
    assert constant.unit is None
    for j, node in enumerate(hidden):
        assert [n.value for n in node.values] == pytest.approx([z[1, j].item(), a[1, j].item()])
        assert node.gradients[0].value == pytest.approx(z.grad[1, j].item())
        slope = (a[1, j] * (1 - a[1, j])).item()
        assert [n.value for n in node.slopes] == pytest.approx([slope])
    inputs = [node.values[0].value for node in diagram.columns[0].nodes]
    assert inputs == pytest.approx([*problem.x[1].tolist(), 1.0])


@settings(max_examples=40, deadline=None)
@given(problems(most_depth=4))
def test_the_path_is_every_weight_that_the_gradient_comes_by(problem: Problem) -> None:
    """Where a weight that is not on the path moves nothing between the parameter and the loss."""
    view = explained(problem).view
    diagram = diagram_of(view, None, ALL)
    place = view.place
    for column in diagram.columns[1:]:
        for edge in column.edges:
            own = (column.level, edge.target, edge.source) == (place.stage.level, place.j, place.i)
            next_level = column.level == place.stage.level + 1 and edge.source == place.j
            above = column.level > place.stage.level + 1 and edge.source is not None
            assert edge.on_path == (own or next_level or above)
    assert all(edge.on_path for edge in diagram.into_loss) == (
        place.stage.level < view.names.depth or len(diagram.into_loss) == 1
    )


def test_one_path_is_one_weight_at_each_level() -> None:
    torch.manual_seed(0)
    network = nn.SigmoidNetwork((2, 3, 4, 2))
    found = explain(network, nn.SquaredError(), torch.rand(2), torch.rand(2))
    for path in found.paths:
        diagram = diagram_of(found.view, path, ALL)
        marked = [[e for e in column.edges if e.on_path] for column in diagram.columns[1:]]
        marked.append([edge for edge in diagram.into_loss if edge.on_path])
        assert [len(level) for level in marked] == [1, 1, 1, 1]
        ways = [level[0] for level in marked]
        assert [edge.target for edge in ways[1:3]] == [*reversed(path.neurons)]
        for before, after in pairwise(ways):
            assert before.target == after.source
        values = {edge.gradient.value for edge in ways} | {e.value.value for e in ways if e.value}
        through = [factor.value for factor in path.factors if factor.layer.startswith("linear")]
        assert {*through[:-1]} <= values


def test_of_a_large_network_what_is_asked_for_is_drawn() -> None:
    network = nn.SigmoidNetwork((200, 300, *(5,) * 30, 100)).double()
    x, target = torch.rand(1, 200), torch.rand(1, 100)
    found = explain(network, nn.SquaredError(), x, target, "linear1.weight", (150, 77))
    diagram = diagram_of(found.view, None, Most(5, 6))
    assert [column.level for column in diagram.columns] == [0, 1, 2, 32]
    inputs, hidden, *_, outputs = diagram.columns
    assert [node.unit for node in inputs.nodes] == [0, 1, 2, 77, 199, None]
    assert [node.unit for node in hidden.nodes] == [0, 1, 2, 150, 299, None]
    assert len(outputs.nodes) == 5
    assert not outputs.edges
    assert len([edge for edge in hidden.edges if edge.on_path]) == 1
