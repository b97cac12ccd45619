"""Data sets on the hub: which files a task needs, and whether its snapshot is whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.registry import load_registry
from nlu_arena.sources import hub_data
from nlu_arena.spec import HubData

RTE = load_registry().task("rte")
TABLE = RTE.data.hub
assert TABLE is not None
FILES = {
    "README.md": b"card",
    "rte/train-00000-of-00001.parquet": b"train",
    "rte/validation-00000-of-00001.parquet": b"validation",
    "rte/validation_extra-00000-of-00001.parquet": b"extra",
    "rte/test-00000-of-00001.parquet": b"test",
    "sst2/train-00000-of-00001.parquet": b"another task's",
}


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The snapshot of a data set as the client leaves it, with the hub's listing beside it."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    repo = hub_data.find_repo(RTE, TABLE)
    listing = {
        name: {"size": len(text), "blob_id": hashlib.sha1(b"blob %d\0%b" % (len(text), text)).hexdigest()}
        for name, text in FILES.items()
    }
    (repo.folder / "trees").mkdir(parents=True)
    text = json.dumps({"format_version": 1, "files": listing})
    (repo.folder / "trees" / f"{repo.revision}.json").write_text(text)
    for name, content in FILES.items():
        if repo.needs(name):
            (repo.snapshot / name).parent.mkdir(parents=True, exist_ok=True)
            (repo.snapshot / name).write_bytes(content)
    return repo.snapshot


def test_the_files_of_one_configuration_and_the_card_are_needed_and_no_others(snapshot: Path) -> None:
    assert hub_data.data_dir(RTE, TABLE) == hub_data.verify_data(RTE, TABLE) == snapshot
    assert hub_data.list_snapshot(RTE, TABLE) == [
        "README.md",
        "rte/train-00000-of-00001.parquet",
        "rte/validation-00000-of-00001.parquet",
    ]


@pytest.mark.parametrize("name", ["README.md", "rte/train-00000-of-00001.parquet"])
def test_a_file_that_never_came_makes_the_data_absent(snapshot: Path, name: str) -> None:
    (snapshot / name).unlink()
    assert hub_data.data_dir(RTE, TABLE) is None
    with pytest.raises(CannotStartError, match="not on this machine") as caught:
        hub_data.verify_data(RTE, TABLE)
    assert caught.value.hint == "Fetch them with: nlu-arena pull --task rte"


def test_damage_is_named_with_the_command_that_repairs_it(snapshot: Path) -> None:
    file = snapshot / "rte" / "train-00000-of-00001.parquet"
    file.write_bytes(b"trail")
    with pytest.raises(CannotStartError, match="is damaged") as caught:
        hub_data.verify_data(RTE, TABLE)
    assert str(file) in caught.value.message
    assert "nlu-arena pull --task rte" in caught.value.hint


def test_a_split_s_files_are_those_of_its_own_name(snapshot: Path) -> None:
    names = hub_data.list_snapshot(RTE, TABLE)
    found = hub_data.name_split_files(names, RTE, TABLE, "validation")
    assert found == ["rte/validation-00000-of-00001.parquet"]
    with pytest.raises(CannotStartError, match="no file of the split 'test'"):
        hub_data.name_split_files(names, RTE, TABLE, "test")


def test_a_configuration_or_split_that_the_data_set_lacks_is_refused_before_anything_is_fetched() -> None:
    for wrong in ({"config": "rtee"}, {"dev": {"dev": "valid"}}):
        table: HubData = msgspec.structs.replace(TABLE, **wrong)
        with pytest.raises(CannotStartError, match="has no file of the split"):
            hub_data.check_names(FILES, RTE, table)
    hub_data.check_names(FILES, RTE, TABLE)


def test_the_only_configuration_of_a_data_set_has_its_files_anywhere() -> None:
    plain = msgspec.structs.replace(TABLE, config=hub_data.DEFAULT_CONFIG)
    repo = hub_data.find_repo(RTE, plain)
    assert repo.needs("data/train-00000-of-00001.parquet")
    assert repo.needs("train.csv")
    assert not repo.needs("data/test-00000-of-00001.parquet")


def test_without_the_hubs_listing_every_split_must_have_a_file(snapshot: Path) -> None:
    (hub_data.find_repo(RTE, TABLE).folder / "trees").rename(snapshot.parent / "elsewhere")
    assert hub_data.data_dir(RTE, TABLE) == snapshot
    (snapshot / "rte" / "validation-00000-of-00001.parquet").unlink()
    assert hub_data.data_dir(RTE, TABLE) is None
