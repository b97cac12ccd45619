from __future__ import annotations

from collections.abc import Sequence

from nlu_arena.ledger.rows import Tile
from nlu_arena.tui.board import build_board
from nlu_arena.tui.heads import Heads
from nlu_arena.tui.viewport import Viewport
from tests.tui.test_grid import tile


def plan(*uses: tuple[str, str], tasks: int = 2) -> list[Tile]:
    """One model in some modes and variants on some tasks."""
    cells = [(mode, variant, task) for mode, variant in uses for task in range(tasks)]
    return [
        tile(position, model="bert", mode=mode, variant=variant, task=f"t{task}")
        for position, (mode, variant, task) in enumerate(cells)
    ]


def heads_of(tiles: Sequence[Tile], width: int = 200) -> tuple[Heads, list[str]]:
    port = Viewport()
    port.resize(width, 20)
    port.show(build_board(tiles))
    assert port.heads is not None
    lines = port.heads.lines(port.lineup)
    assert len(lines) == port.head
    return port.heads, [" ".join(line.split()) for line in lines]


def test_a_mode_is_named_once_and_its_variants_below() -> None:
    _, lines = heads_of(plan(("lora", "train 8"), ("lora", "train 16")))
    assert lines == ["lora", "train 8 train 16", "model t0 t1 t0 t1"]


def test_what_all_variants_share_is_in_no_head() -> None:
    heads, lines = heads_of(plan(("lora", "train 8 · dev 40"), ("zero-shot", "dev 40")))
    assert heads.shared == "dev 40"
    assert "dev" not in " ".join(lines)
    assert heads_of(())[0].shared == ""


def test_what_a_mode_has_in_common_stands_behind_it_and_no_line_is_blank() -> None:
    _, lines = heads_of(plan(("fine-tune", ""), ("few-shot", "4 shots")))
    assert lines == ["fine-tune few-shot · 4 shots", "model t0 t1 t0 t1"]
    _, lines = heads_of(
        plan(("fine-tune", ""), ("few-shot", "4 shots"), ("few-shot", "4 shots · template plain"))
    )
    assert lines[:2] == ["fine-tune few-shot · 4 shots", "plain"]


def test_behind_a_mode_without_room_it_has_a_line_of_its_own() -> None:
    _, lines = heads_of(plan(("fine-tune", ""), ("few-shot", "4 shots"), tasks=1))
    assert lines == ["fine-tune few-shot", "4 shots", "model t0 t0"]


def test_where_a_part_of_a_mode_is_seen_its_name_stays_whole() -> None:
    tiles = plan(("few-shot", "4 shots"), ("zero-shot", ""))
    _, lines = heads_of(tiles, 79)
    assert lines[0] == "few-shot · 4 shots zero-shot"
    port = Viewport()
    port.resize(79, 20)
    port.show(build_board([*plan(("lora", ""), tasks=5), *plan(("few-shot", "4 shots"))]))
    assert port.heads is not None and len(port.lineup.slots) == 6
    assert port.heads.lines(port.lineup)[0].split() == ["lora", "few-shot"]


def test_templates_go_by_their_own_name_and_are_not_cut() -> None:
    uses = [
        ("few-shot", f"{shots} shots · template {name}") for shots in (4, 8) for name in ("question", "plain")
    ]
    _, lines = heads_of(plan(*uses, tasks=1))
    assert lines[1] == "4 shots · question 4 shots · plain 8 shots · question 8 shots · plain"
