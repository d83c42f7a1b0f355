"""Every form that gradients are handed over in, and one clear message for all others."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from tests.checker.comparison.compared import network, verdicts
from tests.checker.given import causes, normal
from torchref import InputError, compare


class TestForms:
    """Gradients as they are handed over."""

    @pytest.mark.parametrize(
        "give",
        [
            lambda gradients: gradients,
            lambda gradients: {name: x.numpy() for name, x in gradients.items()},
            lambda gradients: list(gradients.values()),
            lambda gradients: tuple(x.numpy() for x in gradients.values()),
            lambda gradients: gradients.values(),
            lambda gradients: (x for x in gradients.values()),
        ],
        ids=["mapping", "arrays", "list", "tuple of arrays", "view", "generator"],
    )
    def test_every_form_of_one_side(self, give: Any) -> None:
        assert compare(give(network()), network()).verdict == "exact"
        comparison = compare(network(), give(network()))
        assert tuple(verdicts(comparison)) == tuple(network())

    def test_nested_forms_are_named_by_their_path(self) -> None:
        nested = {"layers": [{"W": normal(3, 2)}, {"W": normal(2, 4)}], "scale": 0.5}
        comparison = compare(nested, nested)
        assert tuple(verdicts(comparison)) == ("layers[0].W", "layers[1].W", "scale")

    def test_a_single_gradient_and_plain_numbers(self) -> None:
        assert compare(normal(3, 2), normal(3, 2).numpy()).verdict == "exact"
        assert compare(0.25, torch.tensor(0.25)).verdict == "exact"

    def test_a_module_on_either_side(self) -> None:
        module = torch.nn.Linear(4, 3).double()
        x = normal(5, 4)
        module(x).square().sum().backward()
        grad_y = 2 * module(x).detach()
        manual = {"weight": grad_y.T @ x, "bias": grad_y.sum(0)}
        assert compare(manual, module).verdict in ("exact", "close")
        assert compare(module, list(manual.values())).verdict in ("exact", "close")
        assert compare(module, module).verdict == "exact"

    @pytest.mark.parametrize(
        "array",
        [
            normal(6, 4).numpy()[::-1],
            np.asfortranarray(normal(6, 4).numpy()),
            normal(6, 4).numpy().astype(">f8"),
            normal(12, 8).numpy()[::2, ::2],
        ],
        ids=["negative strides", "Fortran order", "big endian", "strided"],
    )
    def test_arrays_of_every_layout(self, array: np.ndarray) -> None:
        true = torch.from_numpy(array.astype("<f8", order="C"))
        assert compare([array], [true]).verdict == "exact"

    def test_an_array_that_may_not_be_written(self) -> None:
        array = normal(3, 2).numpy()
        array.setflags(write=False)
        assert compare([array], [normal(3, 2)]).verdict == "exact"

    def test_sparse_transposed_and_conjugate_tensors(self) -> None:
        dense = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
        assert compare([dense.to_sparse()], [dense]).verdict == "exact"
        assert compare([normal(3, 4).T], [normal(3, 4).T.contiguous()]).verdict == "exact"
        complex_one = torch.complex(normal(3), normal(3, seed=1))
        assert compare([complex_one.conj()], [complex_one.conj().resolve_conj()]).verdict == "exact"

    def test_nothing_given_is_changed(self) -> None:
        manual = network()
        compare(manual, network(seed=9))
        assert all(torch.equal(manual[name], x) for name, x in network().items())

    def test_gradients_on_a_tape_come_off_it(self) -> None:
        x = normal(3).requires_grad_()
        (gradient,) = torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)
        assert gradient.requires_grad
        assert compare([gradient], [gradient.detach()]).verdict == "exact"


class TestNone:
    def test_none_and_a_name_not_there_are_missing_gradients(self) -> None:
        for manual in (network() | {"b2": None}, {k: v for k, v in network().items() if k != "b2"}):
            comparison = compare(manual, network())
            assert causes(comparison) == ["missing-gradient"]
            assert comparison.findings[0].argument == "b2"
            assert f"{float(network()['b2'].abs().max()):.6g}" in comparison.findings[0].evidence

    def test_none_stands_for_zeros(self) -> None:
        zero = torch.zeros(3)
        comparison = compare([normal(2), None, zero, None], [normal(2), zero, None, None])
        assert set(verdicts(comparison).values()) == {"exact"}
        assert [bool(row.note) for row in comparison.rows] == [False, True, True, True]

    def test_a_reference_that_has_none_is_named(self) -> None:
        for nothing in (None, torch.zeros(2, dtype=torch.float64)):
            comparison = compare([normal(3), normal(2)], [normal(3), nothing])
            assert causes(comparison) == ["missing-gradient"]
            assert "it is the reference" in comparison.findings[0].evidence

    def test_a_frozen_parameter_has_no_gradient(self) -> None:
        module = torch.nn.Linear(4, 3)
        module.bias.requires_grad_(False)
        module(torch.ones(2, 4)).sum().backward()
        assert compare([torch.full((3, 4), 2.0), None], module).verdict == "exact"


class TestBadInput:
    @pytest.mark.parametrize(
        ("manual", "reference", "told"),
        [
            ({}, network(), "must be at least one, but an empty dict"),
            (network(), [], "an empty list"),
            ("W1", network(), "but an object of type str"),
            ({"W1": {"inner": "text"}}, network(), "type str arrived as W1.inner"),
            (network(), None, "all 1 of them are None"),
            ({"W1": None}, network(), "call"),
            (network() | {"w4": normal(2)}, network(), "but w4 arrived"),
            ({"B1": normal(5)}, {"b1": normal(5)}, "Is B1 b1?"),
            ([normal(2)], network(), "but 1 and 6 arrived"),
            ({"a": np.array([1, 2])}, {"a": normal(2)}, "manual, a: a gradient must be floating"),
            ({"a": normal(2)}, {"a": torch.tensor([True])}, "reference, a"),
            ({"a": np.array([None, 1.0])}, {"a": normal(2)}, "dtype object arrived"),
            ({"a": np.array(["x"])}, {"a": normal(2)}, "arrived"),
            ([torch.nn.Parameter(normal(2))], [normal(2)], "Pass its .grad"),
            ([normal(2)], [normal(2).requires_grad_()], "Pass its .grad"),
            ([torch.zeros(2, device="meta")], [normal(2)], "meta device"),
            (network(), torch.nn.Linear(2, 3), "none of the 2 parameters of Linear has a .grad"),
        ],
    )
    def test_one_clear_message(self, manual: Any, reference: Any, told: str) -> None:
        with pytest.raises(InputError, match="(?i)" + re.escape(told)):
            compare(manual, reference)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"tolerance": -1.0}, "tolerance must be"),
            ({"tolerance": math.nan}, "tolerance must be"),
            ({"values": [normal(2)]}, "values must be a mapping"),
            ({"values": {"x": None}}, "x is None"),
            ({"values": {"x": "32"}}, "x is a string"),
        ],
    )
    def test_options(self, options: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            compare([normal(2)], [normal(2)], **options)
