from __future__ import annotations

import pytest

from nlu_arena.report.lettering import letter_labels, letter_text, shorten


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (["good", "não"], ["good", "não"]),
        # The font has no Chinese letters.
        (["很好", "bad", "差 poor"], ["#0", "bad", "#2 poor"]),
        (["r\x1b[31med\x1b[0m", "\u202eevil", "two\nlines"], ["red", "evil", "two lines"]),
        (["x" * 24, "y" * 25], ["x" * 24, f"{'y' * 12}\u2026{'y' * 11}"]),
        (["\u202e", "#1"], ["#0", "#1"]),
    ],
)
def test_labels_are_shown_as_far_as_the_font_has_them(labels: list[str], shown: list[str]) -> None:
    assert letter_labels(labels) == shown


def test_labels_that_differ_in_what_is_left_out_have_their_places() -> None:
    labels = [f"the_very_same_{middle}_beginning_and_end" for middle in "abc"]
    shown = letter_labels([*labels, "other"])
    assert [label.split()[0] for label in shown] == ["#0", "#1", "#2", "other"]
    assert all(len(label) <= 24 for label in shown)


def test_a_title_keeps_what_the_font_lacks_as_code_points() -> None:
    assert letter_text("Anrufe 意图\x07", 40) == "Anrufe \\u610f\\u56fe"


def test_what_is_too_long_loses_its_middle() -> None:
    assert shorten("abcdefghij", 10) == "abcdefghij"
    assert shorten("abcdefghijk", 10) == "abcde\u2026hijk"
