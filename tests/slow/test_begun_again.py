"""Trainings that cannot go on and begin again: it is said, and the result is that of an undisturbed one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nlu_arena.paths import CHECKPOINT, UNUSABLE_CHECKPOINT
from tests.slow.desks import Desk
from tests.slow.killing import Blow, Moment, Watch, draw_moments
from tests.slow.outcomes import Outcome, count_stretches, find_differences, read_outcomes
from tests.slow.sentences import write_sentences
from tests.standin import StandInHub, build_repositories

PROFILE = """
description = "One training, long enough to be hit"
data = "glue"

[[block]]
models = ["bert-base"]
modes = ["fine-tune"]
tasks = ["sst2"]
train = { epochs = 8, batch_size = 8, lr = 1e-3, held_out = 0.1 }
"""
BERT = "bert-base/sst2/fine-tune"
RECORD = "checkpoint.json"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    write_sentences(home / "glue", {"train": 1000, "dev": 200})
    with StandInHub(build_repositories()) as hub:
        variables = hub.environment(home / "hf") | {"NLU_ARENA_CACHE": str(home / "cache")}
        desk = Desk(home, variables, PROFILE)
        desk.run("pull", "--profile", "kills")
        yield desk


@pytest.fixture(scope="module")
def undisturbed(desk: Desk) -> dict[str, Outcome]:
    desk.sweep(desk.home / "calm")
    return read_outcomes(desk.home / "calm")


def cut_off(checkpoint: Path) -> None:
    file = find_tensors(checkpoint)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_byte(checkpoint: Path) -> None:
    file = find_tensors(checkpoint)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def cut_off_the_record(checkpoint: Path) -> None:
    record = checkpoint / RECORD
    record.write_bytes(record.read_bytes()[:100])


def change_the_version(checkpoint: Path) -> None:
    change_circumstances(checkpoint, format=1000)


def change_the_machine(checkpoint: Path) -> None:
    change_circumstances(checkpoint, device="another processor")


def find_tensors(checkpoint: Path) -> Path:
    name: str = json.loads((checkpoint / RECORD).read_bytes())["file"]
    return checkpoint / name


def change_circumstances(checkpoint: Path, **changes: Any) -> None:
    file = checkpoint / RECORD
    record = json.loads(file.read_bytes())
    assert changes.keys() <= record["circumstances"].keys()
    record["circumstances"] |= changes
    file.write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut_off, "torn"),
        (flip_a_byte, "torn"),
        (cut_off_the_record, "torn"),
        (change_the_version, "format is 1000"),
        (change_the_machine, "another processor"),
    ],
)
def test_an_unusable_checkpoint_is_said_and_set_aside_and_the_training_begins_again(
    damage: Callable[[Path], None], reason: str, desk: Desk, undisturbed: dict[str, Outcome]
) -> None:
    results = desk.home / damage.__name__
    watch = Watch(results)
    with desk.start_sweep(results) as sweep:
        hit = watch.hit(sweep, Moment(Blow(BERT, "train", "both"), share=0.5, delay=0))
    assert hit.step > 0
    damage(results / hit.folder / CHECKPOINT)
    with desk.start_sweep(results) as sweep:
        watch.wait_for(sweep, Moment(hit.blow, share=0.01, delay=0))
        assert (results / hit.folder / UNUSABLE_CHECKPOINT).is_dir()
        assert sweep.process.wait() == 0, sweep.read_narration()
    found = read_outcomes(results)
    assert find_differences(undisturbed, found) == [f"{BERT}: warnings"]
    (warning,) = set(found[BERT].warnings) - set(undisturbed[BERT].warnings)
    assert "began again" in warning
    assert reason in warning
    assert count_stretches(results) == {BERT: [2]}
    assert not list(results.rglob("checkpoint*"))


def test_a_worker_that_is_killed_again_and_again_ends_well_as_long_as_it_comes_forward(
    desk: Desk, undisturbed: dict[str, Outcome]
) -> None:
    results = desk.home / "thrice"
    watch = Watch(results)
    with desk.start_sweep(results) as sweep:
        hits = [watch.hit(sweep, m) for m in draw_moments([Blow(BERT, "train", "worker")] * 3, seed=2)]
        watch.wait_for_end(sweep)
        assert sweep.exit_code == 0, sweep.read_narration()
    assert [hit.step for hit in hits] == sorted({hit.step for hit in hits}), "each time it was further on"
    assert find_differences(undisturbed, read_outcomes(results)) == []
    assert count_stretches(results) == {BERT: [4]}
    assert not list(results.rglob("checkpoint*"))
