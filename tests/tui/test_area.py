from __future__ import annotations

from nlu_arena.tui.area import draw_area, draw_bar


def test_columns_are_filled_from_below_in_eighths() -> None:
    assert draw_area([0, 1, 4, 8, 12, 16], 16, 2) == ["    ▄█", " ▁▄███"]


def test_a_little_is_more_than_nothing_and_nothing_is_not_a_little() -> None:
    assert draw_area([0.0, 1e-6, None], 100, 1) == [" ▁ "]


def test_more_than_all_is_all() -> None:
    assert draw_area([250], 100, 2) == ["█", "█"]


def test_marks_stand_where_a_column_is_empty() -> None:
    assert draw_area([8, 8, 0], 16, 2, marks={0, 2}) == ["┊ ┊", "██┊"]


def test_in_ascii_there_is_nothing_else() -> None:
    assert draw_area([1, 2, 3, 6, None], 6, 2, marks={0, 4}, ascii=True) == ["|  #|", ".:##|"]


def test_without_rows_there_is_no_area() -> None:
    assert draw_area([1, 2], 2, 0) == []


def test_a_bar_is_full_to_its_share() -> None:
    assert draw_bar(0.5, 10) == "▕████░░░░▏"
    assert draw_bar(0.0, 4) == "▕░░▏" and draw_bar(1.7, 4) == "▕██▏"
