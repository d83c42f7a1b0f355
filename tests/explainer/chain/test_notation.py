"""The lectures' symbols."""

import pytest

from torchref.explainer.chain.notation import Names, Notation, lowered, lowered_to_each, raised


@pytest.mark.parametrize(
    ("levels", "sizes", "written"),
    [
        ("superscript", (2, 2, 1), ["w⁽¹⁾₂₁", "w⁽²⁾₁₁", "b⁽¹⁾₂", "b⁽²⁾", "z⁽¹⁾₁", "z⁽²⁾", "a⁽¹⁾₂"]),
        ("none", (2, 2, 1), ["w₂₁", "w₁", "b₂", "b", "z₁", "z", "a₂"]),
        ("weights", (2, 2, 1), ["w⁽¹⁾₂₁", "w⁽²⁾₁₁", "b₂", "b", "z₁", "z", "a₂"]),
        ("subscript", (1, 1, 1), ["w₁", "w₂", "b₁", "b₂", "z₁", "z₂", "a₁"]),
    ],
)
def test_where_the_level_is_written(
    levels: str, sizes: tuple[int, ...], written: list[str]
) -> None:
    names = Names(Notation(levels=levels), sizes)
    assert written == [
        names.weight(1, 1, 0),
        names.weight(2, 0, 0),
        names.bias(1, 1),
        names.bias(2, 0),
        names.net(1, 0),
        names.net(2, 0),
        names.activation(1, 0 if sizes[1] == 1 else 1),
    ]


def test_two_figures_in_an_index_are_kept_apart() -> None:
    assert lowered(1, 2) == "₁₂"
    assert lowered(12, 3) == "₁₂‚₃" != lowered(1, 23)
    assert lowered(9, 9) == "₉₉"
    assert lowered(10, 1) == "₁₀‚₁" != lowered(1, 0, 1)
    assert raised(12) == "⁽¹²⁾"
    assert [lowered_to_each(number) for number in (1, 11)] == ["₁ₖ", "₁₁‚ₖ"]


def test_a_second_activation_gets_a_prime() -> None:
    names = Names(Notation(), (2, 2, 1))
    assert names.activation(1, 0, 2) == "a′⁽¹⁾₁"
