from __future__ import annotations

from pathlib import Path

from nlu_arena.ledger.queries import Reader
from nlu_arena.ledger.rows import Tile
from nlu_arena.paths import ledger_path
from nlu_arena.tui.board import Board, build_board
from tests.views.ledgers import done, quick_plan, waiting, write_sweep

BASE = Tile(0, "k", "bert", "BERT base", "encoder", "", "sst2", "fine-tune", "", 1, "waiting")


def plan(*lines: str) -> list[Tile]:
    """Tiles from lines such as "bert sst2 fine-tune train 96"."""
    tiles = []
    for place, line in enumerate(lines):
        model, task, mode, *variant = line.split(" ", 3)
        tiles.append(
            BASE._replace(
                position=place, key=str(place), model=model, task=task, mode=mode, variant=" ".join(variant)
            )
        )
    return tiles


PLAN = plan("bert sst2 fine-tune", "bert rte fine-tune", "qwen sst2 few-shot 4 shots", "qwen sst2 zero-shot")


def layout(board: Board) -> dict[tuple[str, str], tuple[int, ...]]:
    names = [(row.model, f"{column.task}/{column.mode}") for row in board.rows for column in board.columns]
    places = [(row, column) for row in range(len(board.rows)) for column in range(len(board.columns))]
    return {
        name: board.positions[place]
        for name, place in zip(names, places, strict=True)
        if place in board.positions
    }


def finish(tiles: list[Tile], position: int, accuracy: float) -> None:
    tiles[position] = tiles[position]._replace(state="done", accuracy=accuracy)


def test_models_go_down_and_tasks_across_by_mode() -> None:
    board = build_board(PLAN)
    assert [row.model for row in board.rows] == ["bert", "qwen"]
    assert [(group.mode, group.variant, group.start, group.tasks) for group in board.groups] == [
        ("fine-tune", "", 0, ("sst2", "rte")),
        ("few-shot", "4 shots", 2, ("sst2",)),
        ("zero-shot", "", 3, ("sst2",)),
    ]
    assert layout(board) == {
        ("bert", "sst2/fine-tune"): (0,),
        ("bert", "rte/fine-tune"): (1,),
        ("qwen", "sst2/few-shot"): (2,),
        ("qwen", "sst2/zero-shot"): (3,),
    }
    assert board.field(0, 3).tiles == ()
    assert board.places == {0: (0, 0), 1: (0, 1), 2: (1, 2), 3: (1, 3)}


def test_the_seeds_of_an_experiment_share_a_field() -> None:
    first, second = plan("bert sst2 fine-tune", "bert sst2 fine-tune")
    board = build_board([first, second._replace(seed=2)])
    assert len(board.rows) == 1
    assert board.positions == {(0, 0): (0, 1)}


def test_the_same_seed_again_is_another_setting_with_a_row_of_its_own() -> None:
    tiles = plan("bert sst2 fine-tune", "qwen sst2 fine-tune", "bert sst2 fine-tune")
    board = build_board(tiles)
    assert [(row.model, row.number) for row in board.rows] == [("bert", 0), ("bert", 1), ("qwen", 0)]
    assert board.positions == {(0, 0): (0,), (1, 0): (2,), (2, 0): (1,)}


def test_other_weights_and_other_training_rows_never_share_a_field() -> None:
    tiles = plan("qwen sst2 lora train 32", "qwen sst2 lora train 96", "qwen sst2 lora train 96")
    board = build_board([*tiles[:2], tiles[2]._replace(quantisation="Q4_1")])
    assert [group.variant for group in board.groups] == ["train 32", "train 96"]
    assert [row.quantisation for row in board.rows] == ["", "Q4_1"]
    assert all(len(positions) == 1 for positions in board.positions.values())


def test_modes_can_be_left_out() -> None:
    board = build_board(PLAN, modes={"zero-shot"})
    assert [group.mode for group in board.groups] == ["zero-shot"]
    assert [row.model for row in board.rows] == ["qwen"]


def shown(text_filter: str) -> set[int]:
    return set(build_board(PLAN, text_filter=text_filter).places)


def test_a_filter_keeps_what_has_all_its_words() -> None:
    assert shown("BERT") == {0, 1, 2, 3}  # the title of all models here
    assert shown("qwen") == {2, 3}
    assert shown("sst2 fine") == {0}
    assert shown("!sst2") == {1}
    assert shown("qwen !zero") == {2}
    assert shown("!") == {0, 1, 2, 3}
    assert shown("nothing") == set()


def test_a_filter_may_name_a_state() -> None:
    tiles = list(PLAN)
    finish(tiles, 1, 0.5)
    assert set(build_board(tiles, text_filter="done").places) == {1}


def test_what_waits_has_a_place_in_the_queue_of_the_whole_plan() -> None:
    tiles = list(PLAN)
    finish(tiles, 0, 0.9)
    board = build_board(tiles, modes={"zero-shot", "few-shot"})
    assert board.queue == {1: 1, 2: 2, 3: 3}
    assert board.field(0, 1).queue == 3
    finish(tiles, 2, 0.9)
    board.update(tiles, {2})
    assert board.field(0, 1).queue == 2
    assert board.field(0, 0).queue is None


def test_all_are_compared_with_the_first_encoder_that_is_fine_tuned() -> None:
    tiles = list(PLAN)
    board = build_board(tiles)
    finish(tiles, 3, 0.80)
    board.update(tiles, {3})
    assert board.field(1, 3).difference is None and board.baseline == ""
    finish(tiles, 0, 0.90)
    board.update(tiles, {0})
    assert board.baseline == "bert"
    assert board.field(1, 3).difference == 0.80 - 0.90
    assert board.field(0, 0).difference == 0.0
    assert board.field(0, 1).difference is None


def test_a_decoder_is_no_baseline() -> None:
    tiles = [tile._replace(family="decoder") for tile in PLAN]
    finish(tiles, 0, 0.9)
    assert build_board(tiles).field(0, 0).baseline is None


def test_the_baseline_has_as_many_labelled_examples_or_the_most() -> None:
    tiles = plan(
        *("bert sst2 fine-tune train 32", "bert sst2 fine-tune train 96"),
        *("qwen sst2 lora train 32", "qwen sst2 zero-shot"),
    )
    for position, accuracy in enumerate((0.6, 0.9, 0.7, 0.5)):
        finish(tiles, position, accuracy)
    board = build_board(tiles)
    assert [board.field(*board.places[position]).baseline for position in range(4)] == [0.6, 0.9, 0.6, 0.9]


def test_every_experiment_of_a_real_plan_has_its_field(tmp_path: Path) -> None:
    experiments = quick_plan()
    write_sweep(tmp_path, experiments, [done(), *[waiting] * (len(experiments) - 1)])
    with Reader.open(ledger_path(tmp_path)) as reader:
        board = build_board(reader.tiles(1))
    assert sorted(board.places) == list(range(len(experiments)))
    for position, (row, column) in board.places.items():
        experiment = experiments[position]
        assert board.rows[row].model == experiment.model.name
        assert board.columns[column].task == experiment.task.name
        assert board.columns[column].mode == experiment.mode
