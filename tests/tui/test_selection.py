from __future__ import annotations

import pytest
from rich.cells import cell_len

from nlu_arena.tui.field import Field
from nlu_arena.tui.selection import describe_tile
from tests.tui.test_field import DONE, RUNNING

SEEDED = DONE._replace(majority=0.5, alarms=("one label",), variant="train 96 · dev 48")
BOTH = Field((SEEDED, SEEDED._replace(key="other", seed=2)))


def test_an_experiment_is_said_with_all_its_numbers_where_there_is_room() -> None:
    assert describe_tile(SEEDED, BOTH, 140).plain == (
        "✓ bert/sst2/fine-tune  accuracy 92.7 % (majority 50.0)  ! one label  seed 1 (one of 2)  3.7 min"
        "  peak 3.1 GiB  train 96 · dev 48"
    )


@pytest.mark.parametrize("width", range(28, 125))
def test_no_part_is_cut_and_what_is_left_out_leaves_a_sign(width: int) -> None:
    whole, line = describe_tile(SEEDED, BOTH, 140).plain, describe_tile(SEEDED, BOTH, width).plain
    assert cell_len(line) <= width
    if line != whole:
        kept = line.removesuffix(" …")
        assert line.endswith(" …")
        assert whole.startswith(f"{kept}  ")


def test_a_long_name_is_cut_before_the_first_number_goes() -> None:
    long = SEEDED._replace(model="an-encoder-with-a-very-long-name-that-goes-on")
    line = describe_tile(long, BOTH, 58).plain
    assert "accuracy 92.7 % (majority 50.0)" in line and cell_len(line) <= 58
    assert "…" in line and "/sst2/fine-tune"[-6:] in line


def test_what_runs_says_how_far_it_is() -> None:
    assert describe_tile(RUNNING, Field((RUNNING,)), 80).plain == "▸ bert/sst2/fine-tune  train 41/100  12 s"
