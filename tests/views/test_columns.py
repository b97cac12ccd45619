from __future__ import annotations

import pytest
from rich.cells import cell_len

from nlu_arena.views.columns import align, fill_rows, shorten, wrap_words


@pytest.mark.parametrize("text", ["abcdefghij", "信用卡被拒绝了怎么办", "a信b用c卡d被e"])
@pytest.mark.parametrize("width", [1, 2, 5, 6, 9, 10, 20])
def test_a_shortened_text_fits_and_loses_its_middle_only(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cell_len(short) <= width
    if short != text:
        head, tail = short.split("…")
        assert text.startswith(head)
        assert text.endswith(tail)


def test_alignment_counts_columns_not_characters() -> None:
    assert align("卡", 4) == "卡  "
    assert align("卡", 4, right=True) == "  卡"


def test_words_are_wrapped_at_spaces_and_long_ones_broken() -> None:
    assert wrap_words("smollm2-135m Q4_1 few-shot", 14) == ["smollm2-135m", "Q4_1 few-shot"]
    assert wrap_words("abcdefgh ij", 5) == ["abcde", "fgh", "ij"]
    assert wrap_words("fits", 10) == ["fits"]


def test_rows_are_filled_and_a_block_that_is_too_wide_has_one_of_its_own() -> None:
    assert fill_rows([4, 4, 4], room=10, gap=2) == [[0, 1], [2]]
    assert fill_rows([20, 3, 3], room=10, gap=2) == [[0], [1, 2]]
