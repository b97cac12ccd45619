from __future__ import annotations

import random

import pytest

from nlu_arena.tui.board import build_board
from nlu_arena.tui.columns import label_of, line_up
from nlu_arena.tui.viewport import Viewport
from tests.tui.test_grid import tile


def matrix(models: int, tasks: int, modes: tuple[str, ...] = ("fine-tune", "lora"), seeds: int = 1) -> list:
    """Tiles of a full matrix."""
    cells = [(m, k, t, s) for m in range(models) for k in modes for t in range(tasks) for s in range(seeds)]
    return [
        tile(position, model=f"model-{m}", task=f"task-{t}", mode=k, seed=s)
        for position, (m, k, t, s) in enumerate(cells)
    ]


def test_a_window_always_shows_the_cursor_wherever_it_jumps() -> None:
    port = Viewport()
    port.show(build_board(matrix(50, 9)))
    dice = random.Random(6)
    for _ in range(500):
        if dice.random() < 0.2:
            port.resize(dice.randint(30, 200), dice.randint(4, 60))
        port.resize(max(30, port._width), max(4, port._height))
        port.put(dice.randrange(-5, 60), dice.randrange(-5, 25))
        assert port.sees(port.row, port.column)
        assert all(slot.end <= port._width for slot in port.lineup.slots)
        assert 0 <= port.top < 50


def test_it_scrolls_no_more_than_it_must() -> None:
    port = Viewport()
    port.show(build_board(matrix(50, 2)))
    port.resize(100, 12)
    port.put(9, 0)
    assert port.top == 0
    port.put(10, 0)
    assert port.top == 1
    port.put(5, 0)
    assert port.top == 1
    port.put(0, 0)
    assert port.top == 0


def test_the_cursor_stays_by_name_when_rows_go_and_come() -> None:
    tiles = matrix(5, 2)
    port = Viewport()
    port.resize(120, 20)
    port.show(build_board(tiles))
    port.put(3, 2)
    assert port.show(build_board(tiles, text_filter="!model-1"))
    assert (port.row, port.column) == (2, 2)
    assert port.show(build_board(tiles))
    assert (port.row, port.column) == (3, 2)


def test_the_same_plan_in_another_state_needs_no_new_window() -> None:
    port = Viewport()
    port.show(build_board(matrix(5, 2)))
    assert not port.show(build_board([one._replace(state="done") for one in matrix(5, 2)]))


def test_an_empty_matrix_has_no_fields() -> None:
    port = Viewport()
    port.resize(80, 20)
    port.show(build_board([]))
    port.put(3, 3)
    assert port.is_empty and port.place_text == "" and port.other_mode(1) == 0


def test_place_text_says_what_part_is_seen() -> None:
    port = Viewport()
    port.show(build_board(matrix(50, 9)))
    port.resize(100, 12)
    assert port.place_text == "rows 1-10 of 50, columns 1-8 of 18"
    port.resize(250, 80)
    assert port.place_text == ""


def test_names_are_cut_in_the_middle_before_columns_are_left_out() -> None:
    tiles = [one._replace(model=f"a-very-long-name-of-{one.model}") for one in matrix(3, 3, ("lora",))]
    board = build_board(tiles)
    labels = [label_of(row) for row in board.rows]
    lineup = line_up(board, labels, [10, 10, 10], 60, 0, 0)
    assert len(lineup.slots) == 3 and lineup.label_width == 27


def test_the_whole_matrix_needs_its_labels_its_columns_and_its_heads() -> None:
    port = Viewport()
    port.show(build_board(matrix(50, 9)))
    width, height = port.whole
    port.resize(width, height)
    assert port.place_text == ""
    port.resize(width - 1, height)
    assert "columns" in port.place_text
    port.resize(width, height - 1)
    assert "rows" in port.place_text


@pytest.mark.parametrize(("seeds", "width"), [(1, 10), (3, 11), (10, 13)])
def test_columns_have_room_for_the_share_of_seeds(seeds: int, width: int) -> None:
    port = Viewport()
    port.resize(200, 20)
    port.show(build_board(matrix(1, 1, ("lora",), seeds)))
    (slot,) = port.lineup.slots
    assert slot.end - slot.start == width
