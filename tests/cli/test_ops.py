"""`torchref ops`: every op in the table, and of one the rule as it stands in its file."""

import inspect
import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

from torchref import cli, ops
from torchref.catalogue import CATALOGUE
from torchref.cli import app
from torchref.cli.ops import rule_of
from torchref.testing.low_precision import low_precision_error


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.out, "width", 200)


def ops_command(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ops", *arguments])


def test_the_table_has_every_op_with_its_formula_and_file() -> None:
    ended = ops_command()
    assert ended.exit_code == 0, ended.output
    for name in CATALOGUE:
        assert f"│ {name} " in ended.output
    assert "y = x σ(x), also called swish" in ended.output
    assert f"self_gated.py:{inspect.getsourcelines(ops.SiLU)[1]}" in ended.output


def test_an_op_is_shown_with_its_derivation_and_its_rules() -> None:
    ended = ops_command("RMSNorm")
    assert ended.exit_code == 0, ended.output
    assert inspect.getsource(ops.RMSNorm).rstrip() in ended.output
    assert inspect.getsource(ops.rms_norm_steps).rstrip() in ended.output
    assert "The normalisation by the root mean square alone." in ended.output


@pytest.mark.parametrize("op", CATALOGUE)
def test_a_rule_is_complete(op: str) -> None:
    """What is shown of an op names no function of its family that is not shown or called whole."""
    names = [piece.__name__ for piece in rule_of(CATALOGUE[op].op)]
    assert names[0] == op
    assert len(names) == len(set(names))
    assert not {"save", "save_inputs", "Op"} & set(names)


def test_a_rule_has_what_its_class_inherits_and_calls() -> None:
    names = [piece.__name__ for piece in rule_of(ops.SwiGLU)]
    assert names == ["SwiGLU", "Gated", "rules"]
    names = [piece.__name__ for piece in rule_of(ops.LSTM)]
    assert {"OverTime", "swept", "gradients_of_all", "slopes", "retreat", "follow"} <= {*names}
    assert "Pointwise" in [piece.__name__ for piece in rule_of(ops.Tanh)]


def test_the_document() -> None:
    ended = CliRunner().invoke(app, ["ops", "Tanh", "SiLU", "--json", "-"])
    assert ended.exit_code == 0, ended.output
    first, second = json.loads(ended.stdout)["ops"]
    assert (first["op"], first["orders"], second["op"]) == ("Tanh", 2, "SiLU")
    assert 0 < first["errors"]["bfloat16"]["op"] < 10


def test_a_name_that_is_none() -> None:
    ended = ops_command("Gelu")
    assert ended.exit_code != 0
    assert "Did you mean GELU?" in str(ended.exception)


class CoarseAffine(ops.Affine):
    """Too large by 2 % in its value, in low precision alone."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        y = ops.Affine.forward(x, weight, bias)
        return y if x.dtype == torch.float64 else y * 1.02


class NotFiniteTanh(ops.Tanh):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.where(x > 0, torch.nan, torch.tanh(x))


def test_an_error_is_counted_in_roundings() -> None:
    right = low_precision_error(CATALOGUE["Affine"], torch.bfloat16)
    assert 0.3 < right.op < 2 * right.twin
    coarse = low_precision_error(replace(CATALOGUE["Affine"], op=CoarseAffine), torch.bfloat16)
    assert coarse.twin == right.twin
    assert right.op + 1 < coarse.op < right.op + 6  # 0.02 is 5.1 roundings of 2⁻⁸


def test_a_dtype_that_torch_refuses_is_told_as_that() -> None:
    assert low_precision_error(CATALOGUE["Inverse"], torch.float16) is None
    assert "float16: its error / torch's, in roundings: torch has none" in str(
        ops_command("Inverse").output
    )


def test_what_is_not_finite_errs_without_bound() -> None:
    wrong = low_precision_error(replace(CATALOGUE["Tanh"], op=NotFiniteTanh), torch.float16)
    assert wrong.op == float("inf")
