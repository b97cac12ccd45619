"""The manifest of a drafted task: it reads back as the same task, from wherever it is read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.ownfile import manifest
from nlu_arena.ownfile.draft import OwnFile, draft_task
from nlu_arena.ownfile.manifest import format_manifest, write_manifest
from nlu_arena.registry import load_registry, read_task
from nlu_arena.spec import TaskSpec
from tests.ownfile.files import write_csv, write_reviews


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a file of reviews in a folder of its own."""
    (tmp_path / "home" / "data").mkdir(parents=True)
    write_reviews(tmp_path / "home" / "data" / "reviews.csv")
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("NLU_ARENA_CONFIG", str(tmp_path / "config"))
    return tmp_path / "home"


def draft(path: Path, dev: Path | None = None) -> TaskSpec:
    return draft_task(OwnFile(path, text="review", label="stars", dev=dev), "reviews").task


@pytest.mark.parametrize("has_dev", [False, True])
def test_the_task_reads_back_through_the_registry(home: Path, has_dev: bool) -> None:
    dev = write_reviews(home / "held.csv", 9, first=90) if has_dev else None
    task = draft(Path("data/reviews.csv"), dev)
    write_manifest(task, Path("plugins/tasks/reviews.toml"))
    assert load_registry().task("reviews") == task
    assert [file.name for file in Path("plugins/tasks").iterdir()] == ["reviews.toml"]


def test_data_below_the_current_folder_move_with_it(home: Path) -> None:
    write_manifest(draft(Path("data/reviews.csv")), Path("plugins/tasks/reviews.toml"))
    moved = home.rename(home.with_name("moved"))
    task = read_task(moved / "plugins" / "tasks" / "reviews.toml")
    assert task.data.file is not None
    assert task.data.file.folder == str(moved / "data")


def test_data_elsewhere_are_named_by_their_whole_path(home: Path, tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv")
    text = format_manifest(draft(path), Path("plugins/tasks"))
    assert tomllib.loads(text)["data"]["file"]["folder"] == str(tmp_path)


def test_any_label_and_column_can_be_written(home: Path) -> None:
    labels = ['say "no"', "a\\b", "tab\tand\nline", "= [x] #", "\u597d \U0001f600", "del\x7f", "it's"]
    labels += ["csi \x9b31m", "next\x85line", "\u202egnirts", "\u2066x\u2069", "two\u2028lines"]
    rows = [(f"text {n}", labels[n % len(labels)]) for n in range(70)]
    path = write_csv(Path('data/odd "name"\x7f\'.csv'), ('the "text"', "label\\"), rows)
    task = draft_task(OwnFile(path, text='the "text"', label="label\\"), "odd").task
    write_manifest(task, Path("plugins/tasks/odd.toml"))
    assert load_registry().task("odd") == task
    text = Path("plugins/tasks/odd.toml").read_text(encoding="utf-8")
    assert "\\u202egnirts" in text
    assert not set(text) & {*map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066", "\u2069", "\u2028"}


def test_what_a_killed_program_left_half_written_is_not_read(home: Path) -> None:
    task = draft(Path("data/reviews.csv"))
    path = Path("plugins/tasks/reviews.toml")
    write_manifest(task, path)
    path.with_name(".reviews-x1.toml").write_text(path.read_text()[:90])
    assert load_registry().task("reviews") == task


def test_every_part_has_a_comment(home: Path) -> None:
    text = format_manifest(draft(Path("data/reviews.csv")), Path("plugins/tasks"))
    blocks = text.strip().split("\n\n")
    assert len(blocks) == 5
    assert all(block.startswith("# ") for block in blocks)


def test_what_does_not_read_back_leaves_the_old_one_as_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("plugins/tasks/reviews.toml")
    path.parent.mkdir(parents=True)
    path.write_text("old")
    monkeypatch.setattr(manifest, "format_manifest", lambda *_: 'name = "half')
    with pytest.raises(Exception, match="not valid TOML"):
        write_manifest(draft(Path("data/reviews.csv")), path)
    assert [(file.name, file.read_text()) for file in path.parent.iterdir()] == [("reviews.toml", "old")]


def test_a_folder_that_cannot_be_written_is_said(home: Path) -> None:
    Path("plugins").write_text("a file where a folder should be")
    with pytest.raises(CannotStartError, match=r"cannot write plugins/tasks/reviews\.toml"):
        write_manifest(draft(Path("data/reviews.csv")), Path("plugins/tasks/reviews.toml"))
