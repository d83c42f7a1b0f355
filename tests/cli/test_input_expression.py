"""Inputs as an expression: what torch makes of it, or one message; and no code is ever run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchref.cli.input_expression import Arguments, read_inputs
from torchref.cli.input_expression.tensors import MAKERS, METHODS, MOST_ENTRIES
from torchref.errors import InputError


@pytest.fixture(autouse=True, scope="module")
def _every_warning_each_time() -> Iterator[None]:
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


def read(text: str, seed: int = 0) -> Arguments:
    return read_inputs(text, torch.Generator().manual_seed(seed))


SHAPES = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)
FLOATING = st.sampled_from(["float16", "bfloat16", "float32", "float64", "complex64"])
NUMBER = st.sampled_from(["0", "2", "-1", "0.5", "1e-3", "(2 + 1) / 4", "2**3", "torch.inf"])
MADE = st.one_of(
    st.builds("torch.{}({}, dtype=torch.{})".format, st.just("randn"), SHAPES, FLOATING),
    st.builds("torch.rand{}".format, SHAPES),
    st.builds("torch.zeros({}, dtype=torch.{})".format, SHAPES, FLOATING),
    st.builds("torch.ones({})".format, SHAPES),
    st.builds("torch.full({}, {})".format, SHAPES, st.sampled_from(["2.5", "7", "True"])),
    st.builds("torch.randint({}, {}, {})".format, st.integers(-3, 0), st.integers(1, 5), SHAPES),
    st.builds("torch.randint({}, {})".format, st.integers(1, 5), SHAPES),
    st.builds("torch.arange({})".format, st.integers(0, 5)),
    st.builds("torch.arange({}, {}, {})".format, st.integers(0, 2), st.integers(2, 5), NUMBER),
    st.builds("torch.eye({}, {})".format, st.integers(0, 3), st.integers(0, 3)),
    st.builds("torch.linspace({}, {}, {})".format, NUMBER, NUMBER, st.integers(0, 4)),
    st.builds("torch.randperm({})".format, st.integers(0, 4)),
    st.just("torch.tensor([[1., 2.], [3., 4.]])"),
    st.just("torch.tensor([1, 2], dtype=torch.int32)"),
)
AFTER = st.sampled_from(
    [
        *(".T", ".mT", ".abs()", ".exp()", ".sigmoid()", ".tril()", ".softmax(-1)", ".cumsum(0)"),
        *(".to(torch.bfloat16)", ".double()", ".clamp(min=0, max=1)", ".contiguous()", ".t()"),
        *(".reshape(-1)", ".unsqueeze(0)", ".expand(2, -1)", ".transpose(0, 1)", ".flip(0)"),
        *("[::2]", "[..., 0]", "[:, None]", "[-1]", "[1:, ::2]"),
    ]
)
OPERATOR = st.sampled_from(
    [*("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|")]
)
EXPRESSION = st.recursive(
    MADE,
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, AFTER),
        st.builds("{}({})".format, st.sampled_from(["-", "~", "+", "torch.abs"]), inner),
        st.builds("({}) {} ({})".format, inner, OPERATOR, inner | NUMBER),
        st.builds("({}) {} ({})".format, NUMBER, OPERATOR, inner),
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=300)
@given(EXPRESSION, st.integers(0, 3))
def test_it_is_what_torch_makes_of_it(text: str, seed: int) -> None:
    torch.manual_seed(seed)
    try:
        expected = eval(text, {"torch": torch})
    except Exception:
        with pytest.raises(InputError):
            read(text, seed)
        return
    (got,) = read(text, seed).positional
    torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True, check_stride=True)
    (without_torch,) = read(text.replace("torch.", ""), seed).positional
    torch.testing.assert_close(without_torch, expected, rtol=0, atol=0, equal_nan=True)


def test_all_kinds_of_arguments() -> None:
    told = read("randn(2), 3, -2.5, None, 'sum', (1, [True]), float16, x=1,\n y=-inf")
    x, *others = told.positional
    assert x.shape == (2,)
    assert others == [3, -2.5, None, "sum", (1, [True]), torch.float16]
    assert told.named == {"x": 1, "y": -float("inf")}
    assert read("") == Arguments((), {})


def test_a_seed_draws_the_same_and_another_other_numbers() -> None:
    (first,), (again,), (other,) = (read("randn(9)", seed).positional for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert read("randbool(50)").positional[0].dtype is torch.bool


@pytest.mark.parametrize("name", [*MAKERS, *METHODS])
def test_every_name_is_called_as_torch_has_it(name: str) -> None:
    assert name == "randbool" or hasattr(torch if name in MAKERS else torch.Tensor, name)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch FILE')",
        "open('FILE', 'w')",
        'eval(\'open("FILE", "w")\')',
        "(lambda: open('FILE', 'w'))()",
        "[open('FILE', 'w') for _ in (1,)]",
        'f\'{open("FILE", "w")}\'',
        "randn(3).__class__.__mro__[-1].__subclasses__()",
        "randn.__globals__",
        "torch.save(randn(3), 'FILE')",
        "torch.load('FILE')",
        "torch.__builtins__",
        "randn(3).numpy().tofile('FILE')",
        "randn(3).to('cuda')",
        "randn(3).apply_(1)",
        "randn(3).data_ptr()",
        "randn(3)[randn(3) > 0]",
        "randn(3)['a']",
        "randn(3) @ randn(3)",
        "().__class__",
        "'a' * 10",
        "'%s' % 3",
        "[0] * 10",
        "1 if True else 2",
        "x := open('FILE', 'w')",
        "yield",
        "*(1, 2)",
        "**{'a': 1}",
        "randn(*(1, 2))",
        "randn(**{'size': 3})",
        "b'bytes'",
        "...",
        "print",
        "{1: 2}",
        "1)(2",
        "1), open('FILE', 'w'",
        "1) + f(2",
        "randn(3), x=1, x=2",
        "randn(3)\x00",
        "randn(3)  # a comment",
    ],
)
def test_what_is_not_of_the_language_is_refused_and_not_run(tmp_path: Path, text: str) -> None:
    file = tmp_path / "written"
    with pytest.raises(InputError, match=r"^--inputs must "):
        read(text.replace("FILE", str(file)))
    assert not file.exists()


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "10**999",
        "(10**18)**(10**18)",
        "1" * 5000,
        "-" * 3000 + "1",
        "(" * 3000,
        "[" * 90 + "]" * 90,
        "+".join("1" * 200),
        "randn(3)" + ".abs()" * 200,
        "randn(10**12)",
        "zeros(100000, 100000)",
        "ones(9223372036854775807, 9223372036854775807)",
        "eye(10**6)",
        "arange(10**15)",
        "arange(0, 1, 1e-18)",
        "arange(0, inf)",
        "linspace(0, 1, 10**12)",
        "randperm(10**11)",
        "full((10**6, 10**6), 1)",
        "randn(1).expand(10**12)",
        "randn(10**5, 1) + randn(1, 10**5)",
        "randn(6000, 6000), randn(6000, 6000)",
        "randn(3), " * 3000,
        "1e308 * 10 ** 400",
        "1 // 0",
        "randn(2**63)",
    ],
)
def test_what_would_take_all_memory_or_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^--inputs"):
        read(text)


def test_the_limit_is_on_all_tensors_together() -> None:
    rows = MOST_ENTRIES // 1024
    with pytest.raises(InputError, match="beside those before"):
        read(f"zeros({rows}, 512).expand(-1, 512), zeros({rows}, 512)")
    assert read("randn(1024, 1024)").positional[0].shape == (1024, 1024)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("randn(4), 2 * randm(3)", "randm(3) arrived at character 15. Did you mean randn?"),
        ("randn(3).softmx(0)", "Did you mean softmax?"),
        ("ränd(3)", "ränd(3) arrived at character 1. Did you mean rand?"),
        ("'é', randm(3)", "at character 6"),
        ("\nrandm(3)", "at character 2"),
        ("randn(3, dtype=flaot32)", "Did you mean float32?"),
        ("randn", "A call has brackets: randn(4, 3)"),
        ("randn(3).T()", "Write .T without brackets"),
        ("randn(3", "randn(3 is none: '(' was never closed"),
        ("randn(3))", "unmatched ')' at character 9"),
        ("randn(4 3)", "is none: invalid syntax"),
        ("randn(-1)", "whole numbers that are not negative, but -1 arrived"),
        ("randn(2.5)", "but 2.5 arrived in randn(2.5)"),
        ("randint(3)", "call randint as randint(low, high, size, dtype=...)"),
        ("randbool(3, dtype=bool)", "Got an unexpected keyword argument 'dtype'"),
        ("randn(3, requires_grad=True)", "--wrt names"),
        ("randn(3, device='cuda')", "--device says where"),
        ("randn(3) + randn(4)", "randn(3) + randn(4) at character 1 is not: "),
        ("randn(3, dtype=int64)", "not implemented for 'Long'"),
        ("tensor([[1.], [1., 2.]])", "expected sequence of length 1 at dim 1"),
        ("randn(2, 2, 2).T", "randn(2, 2, 2).T at character 1 is not: "),
        ("abs(3)", "have a tensor there, but 3 arrived"),
        ("relu()", "give relu a tensor"),
        ("randn(randn(2))", "no tensor there"),
        ("9**9**9", "exponents of at most 1000"),
        ("x", "There are float16"),
    ],
)
def test_a_message_says_what_where_and_the_fix(text: str, told: str) -> None:
    with pytest.raises(InputError) as raised:
        read(text)
    assert told in str(raised.value)
    assert len(str(raised.value)) < 600
