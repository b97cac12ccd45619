from __future__ import annotations

import pytest
from rich.cells import cell_len

from nlu_arena.tui.asciifilter import to_ascii
from nlu_arena.tui.fitting import cut_middle, fill


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("deberta-v3-large", 16, "deberta-v3-large"),
        ("deberta-v3-large", 10, "deber…arge"),
        ("deberta", 1, "…"),
        ("deberta", 0, ""),
    ],
)
def test_a_name_is_cut_in_its_middle(text: str, width: int, short: str) -> None:
    assert cut_middle(text, width) == short


def test_what_combines_with_a_letter_that_is_gone_goes_too() -> None:
    assert cut_middle("abcdefghijkle\u0301fg", 8) == "abcde…fg"


@pytest.mark.parametrize(
    "text", ["plain", "日本語のモデル", "e\u0301a\u0300 combining", "", "mixed 日本 text"]
)
@pytest.mark.parametrize("width", range(12))
def test_a_filled_text_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fill(text, width)) == width


@pytest.mark.parametrize(
    ("text", "plain"), [("✓ 85.0", "+ 85.0"), ("a·b…", "a.b~"), ("日本", "????"), ("⣿", "?")]
)
def test_ascii_takes_as_many_cells(text: str, plain: str) -> None:
    assert to_ascii(text) == plain
    assert cell_len(text) == len(plain)
