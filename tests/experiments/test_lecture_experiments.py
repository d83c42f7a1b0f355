"""The lectures' experiments: all that they state holds, and what they log can be read back."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments import (
    cost_surface,
    jacobian,
    log_loss_network,
    matrix_form,
    several_minima,
    three_layers,
    vanishing_gradients,
)
from experiments.lecture.statements import Statements
from tests.slow import few_of
from torchref.backprop import Backprop
from torchref.explainer.chain.counting import count
from torchref.explainer.chain.notation import lowered
from torchref.training import Dtype, Gradients, Settings


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    return events.Reload()


def only_run(logdir: Path, experiment: str) -> Path:
    (folder,) = (logdir / experiment).iterdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(epochs=20, lr=1.0, logdir=tmp_path, seed=1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_log_loss_network_states_the_nine_derivatives(seed: int) -> None:
    stated = log_loss_network.statements(seed)
    assert len(stated.made) == 27
    assert stated.hold


def test_log_loss_network_trains_and_logs(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [Gradients.HANDWRITTEN, Gradients.TORCH]
    log_loss_network.main(replace(settings, gradients=both, dtype=Dtype.FLOAT64))
    folder = only_run(settings.logdir, "log_loss_network")
    losses = {
        run: [e.value for e in read(folder / run).Scalars("loss/train")]
        for run in ("handwritten", "torch")
    }
    assert losses["handwritten"] == losses["torch"]
    assert losses["handwritten"][-1] < losses["handwritten"][0]
    explained = read(folder / "explained")
    assert "explain/w11" in explained.Tags()["images"]
    assert (
        b"The verdict: right"
        in explained.Tensors("explain/w11/text_summary")[0].tensor_proto.string_val[0]
    )
    assert (folder / "explain_w11.png").stat().st_size > 10_000
    assert "wrong" not in capsys.readouterr().out


def test_log_loss_network_learns_the_tumours() -> None:
    torch.manual_seed(0)
    examples, held_out = log_loss_network.tumours(0)
    network = log_loss_network.nn.SigmoidNetwork((2, 2, 1)).double()
    step = Backprop(network, log_loss_network.nn.BCELoss())
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
    for _ in range(500):
        step(examples.x, examples.target)
        optimiser.step()
    assert log_loss_network.accuracy(network(held_out.x), held_out.target) > 0.9


@pytest.mark.parametrize("sizes", few_of(["3,1", "2,2,2,1", "2,4,3,2,2"]))
def test_three_layers_computes_both_ways(settings: Settings, sizes: str) -> None:
    three_layers.main(settings, sizes)  # ends in SystemExit if a statement does not hold
    folder = only_run(settings.logdir, "three_layers")
    depth = len(sizes.split(",")) - 1
    asked = tuple(map(int, sizes.split(",")))
    events = read(folder / "by_depth")
    counts = count(asked, (1,) * depth)
    for way, expected in (("stored", counts.reused), ("recomputed", counts.recomputed)):
        assert events.Scalars(f"multiplications/{way}")[-1].value == expected
        assert len(events.Scalars(f"microseconds/{way}")) == depth


def test_three_layers_finds_a_wrong_count() -> None:
    stated = Statements()
    stated.true("as counted", count((2, 2, 1), (1, 1)).reused == 12)
    assert not stated.hold
    with pytest.raises(SystemExit):
        stated.show()


@pytest.mark.parametrize("sizes", ["2", "2,,1", "a,b", "40,40,40,40,40"])
def test_three_layers_refuses_what_it_cannot_multiply_out(sizes: str) -> None:
    with pytest.raises(three_layers.InputError, match="2,2,2,1"):
        three_layers.sizes_in(sizes)


def test_eight_starts_end_in_three_minima(settings: Settings) -> None:
    several_minima.main(settings)  # ends in SystemExit if a statement does not hold
    folder = only_run(settings.logdir, "several_minima")
    assert read(folder / "figures").Tags()["images"] == ["figures/several_minima"]
    assert (folder / "several_minima.png").stat().st_size > 5_000


def test_a_place_that_is_no_minimum_is_found_wrong() -> None:
    cost = several_minima.curve()
    (end,) = cost.descent((0.5,), 2.0, 3000)[-1]
    stated = several_minima.statements(cost, {0: [end], 1: [end - 0.15], 2: [end + 0.15]})
    assert [each.holds for each in stated.made] == [True, False, True, False]


def test_the_descents_are_drawn_where_they_go() -> None:
    """Each point is on the curve, and each is the step before it, down its slope."""
    cost = several_minima.curve()
    found = {start: way[:40] for start, way in several_minima.descents(cost).items()}
    (axes,) = several_minima.figure_of(cost, found).axes
    drawn = {tuple(line.get_xdata()): line.get_ydata() for line in axes.lines}
    for visited in found.values():
        costs = drawn[tuple(visited)]
        assert costs == pytest.approx([cost.at((w,)) for w in visited])
        for w, after in pairwise(visited):
            assert after == pytest.approx(w - several_minima.RATE * cost.slopes_at((w,))[0])


def test_cost_surface_states_and_draws(settings: Settings) -> None:
    assert len(cost_surface.statements().made) == 3
    cost_surface.main(settings)  # ends in SystemExit if a statement does not hold
    folder = only_run(settings.logdir, "cost_surface")
    images = set(read(folder / "figures").Tags()["images"])
    assert images == {"figures/one_weight", "figures/surface"}
    assert all((folder / f"{n}.png").stat().st_size > 5_000 for n in ("one_weight", "surface"))


def test_the_path_on_the_surface_settles() -> None:
    surface = cost_surface.surface()
    path = surface.descent(cost_surface.START, cost_surface.RATE, cost_surface.STEPS)
    assert surface.at(path[-1]) < surface.at(path[0]) / 5
    first, last = (math.dist(path[n], path[n + 1]) for n in (0, -2))
    assert first > 10 * last


def test_too_large_a_rate_does_not_go_downhill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_surface, "RATE", 50.0)
    assert not cost_surface.statements().hold


def minima_figure() -> Any:
    cost = several_minima.curve()
    return several_minima.figure_of(cost, several_minima.descents(cost))


FIGURES = {
    "one_weight": cost_surface.curve_figure,
    "surface": cost_surface.surface_figure,
    "several_minima": minima_figure,
    "jacobian": lambda: jacobian.figure_of(torch.ones(2, 23)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_and_colours_have_names_and_nothing_is_cut_off(name: str) -> None:
    figure = FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    main, *bars = figure.axes
    assert main.get_xlabel()
    assert main.get_ylabel()
    assert all(bar.get_xlabel() or bar.get_ylabel() for bar in bars)
    drawn, (wide, high) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0, wide - drawn.x1, high - drawn.y1) >= 0


@pytest.mark.parametrize("seed", [0, 1])
def test_the_jacobian_is_by_hand_what_jacrev_finds(settings: Settings, seed: int) -> None:
    jacobian.main(replace(settings, seed=seed))  # ends in SystemExit if a statement does not hold
    folder = only_run(settings.logdir, "jacobian")
    assert read(folder / "figures").Tags()["images"] == ["figures/jacobian"]
    assert (folder / "jacobian.png").stat().st_size > 5_000
    assert (folder / "explain_w11.png").stat().st_size > 10_000


def colour_of(figure: Any, row: int, column: int) -> tuple[float, ...]:
    (image,) = figure.axes[0].images
    return tuple(image.cmap(image.norm(image.get_array()[row][column]))[:3])


def test_the_jacobians_colours_are_centred_on_zero() -> None:
    values = torch.zeros(2, 23, dtype=torch.float64)
    values[0, :5] = torch.tensor([0.2, -0.2, 0.01, -0.01, 0.0])
    figure = jacobian.figure_of(values)
    (red, _, blue), (dark, _, strong) = (colour_of(figure, 0, column) for column in (0, 1))
    assert red > blue
    assert dark < strong
    (red, _, blue), (dark, _, strong) = (colour_of(figure, 0, column) for column in (2, 3))
    assert red > blue
    assert dark < strong
    assert colour_of(figure, 0, 4) == pytest.approx((0.97, 0.97, 0.97), abs=0.01)


def test_the_jacobians_columns_are_named_in_their_order() -> None:
    """By w₂₃ it is meant what moves when the weight from unit 2 to neuron 3 does."""
    outputs, names = jacobian.names_of(jacobian.SIZES)
    assert outputs == ["a₁", "a₂"]
    layers = jacobian.LECTURE.network()[0::2]
    order = [f"w{lowered(i + 1, j + 1)}" for layer in layers for j, i in places(layer.weight)]
    biases = [f"b{lowered(j + 1)}" for layer in layers for (j,) in places(layer.bias)]
    assert [name for name in names if name[0] == "w"] == order
    assert [name for name in names if name[0] == "b"] == biases
    assert [names.index("b₁"), len(names)] == [12, 23]
    labels = [
        text.get_text() for text in jacobian.figure_of(torch.ones(2, 23)).axes[0].get_xticklabels()
    ]
    assert labels == names


def places(parameter: torch.Tensor) -> list[tuple[int, ...]]:
    return [tuple(place) for place in torch.ones_like(parameter).nonzero().tolist()]


def test_a_wrong_jacobian_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = jacobian.by_hand
    monkeypatch.setattr(jacobian, "by_hand", lambda network, x: right(network, x) * (1 + 1e-9))
    with pytest.raises(SystemExit):
        jacobian.main(settings)
    assert "∇C = 2 (a − y)ᵀ times the Jacobian" in capsys.readouterr().out


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_matrix_form_states_its_equations(seed: int) -> None:
    assert matrix_form.statements(seed).hold


def test_matrix_form_trains_both_alike(settings: Settings) -> None:
    ways = [Gradients.SWEEP, Gradients.TORCH]
    matrix_form.main(replace(settings, gradients=ways, dtype=Dtype.FLOAT64))
    losses = []
    for form in ("folded", "unfolded"):
        folder = only_run(settings.logdir / "matrix_form", form)
        for way in ways:
            events = read(folder / way)
            losses.append([e.value for e in events.Scalars("loss/train")])
            assert "gradient_norm/linear1.weight" in events.Tags()["scalars"]
    assert all(each == pytest.approx(losses[0], rel=1e-6) for each in losses)
    assert losses[0][-1] < losses[0][0]


def test_vanishing_gradients_are_measured_and_bounded(settings: Settings) -> None:
    vanishing_gradients.main(settings, 16)  # ends in SystemExit if a bound does not hold
    folder = only_run(settings.logdir, "vanishing_gradients")
    images = read(folder / "figures").Tags()["images"]
    assert set(images) == {"figures/gradient_norm_by_layer", "figures/first_over_last"}
    reach = {
        name: [e.value for e in read(folder / name).Scalars(vanishing_gradients.REACH)]
        for name in vanishing_gradients.RECIPES
    }
    assert len(reach["sigmoid"]) == len(vanishing_gradients.DEPTHS)
    assert reach["sigmoid"][-1] < -12  # powers of ten: thirty layers leave nothing
    assert reach["tanh_xavier"][-1] > 6 + reach["sigmoid"][-1]
    assert reach["relu_he"][-1] > 6 + reach["sigmoid"][-1]


def test_a_chain_keeps_less_than_a_quarter_a_layer() -> None:
    for depth in (2, 5, 30):
        slope, bound = vanishing_gradients.chain_of(depth)
        assert 0.01 * bound < slope <= bound
