from __future__ import annotations

from typing import Any

import pytest

from nlu_arena.ledger.rows import Tile
from nlu_arena.tui.field import GLYPHS, Field, Value, field_text, glyph_of

DONE = Tile(
    *(0, "k", "bert", "BERT", "encoder", "", "sst2", "fine-tune", "", 1, "done"),
    accuracy=0.927,
    seconds=222.0,
    peak_bytes=int(3.1 * 1024**3),
)
WAITING = DONE._replace(state="waiting", accuracy=None, seconds=None, peak_bytes=None)
RUNNING = WAITING._replace(state="running", phase="train", done=41, total=100, seconds=12.0)


def text(
    *tiles: Tile, value: Value = Value.ACCURACY, width: int = 12, ascii: bool = False, **more: Any
) -> str:
    return field_text(Field(tiles, **more), value, width, ascii)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value.ACCURACY, "✓ 92.7"),
        (Value.DIFFERENCE, "✓ +2.6"),
        (Value.SECONDS, "✓ 3.7min"),
        (Value.MEMORY, "✓ 3.1G"),
        (Value.STATE, "✓ done"),
    ],
)
def test_a_field_shows_one_number_of_what_is_done(value: Value, expected: str) -> None:
    assert text(DONE, value=value, baseline=0.901) == expected


def test_a_difference_is_signed_and_zero_is_positive() -> None:
    assert text(DONE, value=Value.DIFFERENCE, baseline=0.95) == "✓ -2.3"
    assert text(DONE, value=Value.DIFFERENCE, baseline=0.92704) == "✓ +0.0"
    assert text(DONE, value=Value.DIFFERENCE) == "✓ ?"


def test_a_field_without_a_number_says_how_far_it_is() -> None:
    assert text() == "-"
    assert text(RUNNING) == "▸ 41%"
    assert text(RUNNING, value=Value.STATE) == "▸ train 41%"
    assert text(RUNNING._replace(total=0)) == "▸ train"
    assert text(WAITING, queue=3) == "· 3rd"
    assert text(WAITING._replace(state="interrupted")) == "‖ stopped"


@pytest.mark.parametrize(
    ("number", "expected"), [(1, "1st"), (2, "2nd"), (11, "11th"), (13, "13th"), (22, "22nd"), (111, "111th")]
)
def test_places_in_the_queue_are_ordinals(number: int, expected: str) -> None:
    assert text(WAITING, queue=number) == f"· {expected}"


def test_a_failed_field_names_the_cause_where_there_is_room() -> None:
    failed = WAITING._replace(state="failed", error="WorkerDied", message="killed")
    assert text(failed) == "✗ WorkerDied"
    assert text(failed, width=9) == "✗ failed"
    assert text(failed._replace(message="CUDA out of memory"), width=9) == "✗ OOM"


def test_several_seeds_show_their_mean_and_how_many_are_done() -> None:
    other = DONE._replace(seed=2, accuracy=0.907)
    assert text(DONE, other) == "✓ 91.7"
    assert text(DONE, other, RUNNING) == "▸ 91.7 2/3"
    assert text(DONE, other, WAITING) == "· 91.7 2/3"
    assert text(DONE, other, WAITING._replace(state="failed"), RUNNING) == "▸ 91.7 2/4"


def test_an_alarm_is_marked_beside_the_number() -> None:
    assert text(DONE._replace(alarms=("ties",))) == "✓ 92.7!"


def test_a_narrow_field_loses_everything_before_its_number() -> None:
    assert text(DONE, WAITING, width=8) == "· 92.7"
    assert text(RUNNING, value=Value.STATE, width=6) == "▸ 41%"
    assert text(DONE, width=4) == "✓"


def test_plain_signs_are_ascii_and_all_signs_differ() -> None:
    assert text(DONE, ascii=True) == "+ 92.7"
    assert all(glyph_of(state, ascii=True).isascii() for state in GLYPHS)
    for ascii in (False, True):
        assert len({glyph_of(state, ascii) for state in GLYPHS}) == len(GLYPHS)


def test_the_values_follow_each_other_in_a_circle() -> None:
    value, seen = Value.ACCURACY, []
    for _ in Value:
        seen.append(value)
        value = value.next
    assert value is Value.ACCURACY
    assert seen == list(Value)


def test_nothing_of_a_worker_reaches_the_terminal() -> None:
    assert text(RUNNING._replace(phase="\x1b[2Jtrain", total=0)) == "▸ train"
