"""A module keeps the sizes of its parameters: kernels that trust them crash on others."""

import torch
from torch import nn

from tests.checker.given import assert_right, normal
from torchref.checker.execution.case import Case, build_case
from torchref.checker.execution.subject import as_subject
from torchref.checker.inputs import variations

X = normal(5, 2, 3)


def varied(module: nn.Module) -> list[Case]:
    case = build_case(as_subject(module), (X,), None, None)
    assert len(case.parameters) == len(list(module.parameters()))
    return [case for _, case in variations(case, 0)]


def test_no_parameter_changes_its_size_or_is_absent() -> None:
    module = nn.GRU(3, 4)
    shapes = [x.shape for x in module.parameters()]
    for case in varied(module):
        assert [case.leaves[i].shape for i in sorted(case.parameters)] == shapes, case.label


def test_the_inputs_still_change_the_sizes_that_are_theirs() -> None:
    inputs = [case.leaves[0] for case in varied(nn.Linear(3, 4))]
    shapes = {x.shape for x in inputs if x is not None}
    assert torch.Size((7, 2, 3)) in shapes
    assert torch.Size((2, 3)) in shapes
    assert all(shape[-1] == 3 for shape in shapes)


def test_the_values_of_parameters_change() -> None:
    labels = {case.label for case in varied(nn.Linear(3, 4))}
    assert "zeros in weight" in labels


def test_a_recurrent_module_is_right() -> None:
    assert_right(nn.GRU(3, 4), None, (X,))
