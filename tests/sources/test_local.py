"""Weights in a directory: identified by their content, refused when incomplete, damaged or pickled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.sources import fetch_weights, use_copies, verify_weights, weights_dir, weights_identity
from nlu_arena.spec import HubWeights, LocalWeights, ModelSpec, WheelWeights

MakeModel = Callable[..., ModelSpec]


@pytest.fixture
def folder(tmp_path: Path, safetensors: Callable[..., bytes]) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "vocab.txt").write_text("[PAD]\n")
    (folder / "model.safetensors").write_bytes(safetensors())
    return folder


def test_a_complete_folder_is_used_where_it_is(folder: Path, make: MakeModel) -> None:
    model = make(LocalWeights(path=str(folder)))
    assert weights_dir(model) == verify_weights(model) == fetch_weights(model, print) == folder


def test_the_identity_follows_the_content_and_not_the_place(folder: Path, make: MakeModel) -> None:
    model = make(LocalWeights(path=str(folder)))
    first = weights_identity(model)
    assert first.startswith("local:")
    (folder / "README.md").write_text("of no account")
    assert weights_identity(model) == first
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    assert weights_identity(make(LocalWeights(path=str(copy)))) == first
    (copy / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    assert weights_identity(make(LocalWeights(path=str(copy)))) != first


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        ("config.json", "no config.json"),
        ("vocab.txt", "no tokenizer file"),
        ("model.safetensors", "safetensors"),
    ],
)
def test_an_incomplete_folder_says_what_it_lacks(
    folder: Path, make: MakeModel, absent: str, said: str
) -> None:
    (folder / absent).unlink()
    model = make(LocalWeights(path=str(folder)))
    assert weights_dir(model) is None
    for act in (verify_weights, weights_identity):
        with pytest.raises(CannotStartError, match=said):
            act(model)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, make: MakeModel) -> None:
    model = make(LocalWeights(path=str(tmp_path / "nowhere")))
    assert weights_dir(model) is None
    with pytest.raises(CannotStartError, match="nowhere, does not exist"):
        verify_weights(model)


def test_pickled_weights_are_refused_with_the_reason(folder: Path, make: MakeModel) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CannotStartError, match=r"pickle file .* can run code"):
        verify_weights(make(LocalWeights(path=str(folder))))


def test_a_missing_shard_is_named(folder: Path, make: MakeModel) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"w": "model.safetensors", "v": "model-00002-of-00002.safetensors"}}')
    with pytest.raises(CannotStartError, match=r"lacks model-00002-of-00002\.safetensors"):
        verify_weights(make(LocalWeights(path=str(folder))))


def test_a_damaged_index_of_shards_is_named_and_disturbs_no_list(folder: Path, make: MakeModel) -> None:
    model = make(LocalWeights(path=str(folder)))
    for damaged in ('{"weight_map": {"a":', "{}", "[]"):
        (folder / "model.safetensors.index.json").write_text(damaged)
        assert weights_dir(model) is None
        with pytest.raises(CannotStartError, match=r"its model\.safetensors\.index\.json cannot be read"):
            verify_weights(model)


def test_a_truncated_weights_file_is_named(folder: Path, make: MakeModel) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(CannotStartError, match=r"model\.safetensors is damaged: it is truncated: \d+ of \d+"):
        verify_weights(make(LocalWeights(path=str(folder))))
    file.write_bytes(b"not safetensors at all")
    with pytest.raises(CannotStartError, match="header"):
        verify_weights(make(LocalWeights(path=str(folder))))


def test_shards_without_their_index_are_not_whole(folder: Path, make: MakeModel) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    with pytest.raises(CannotStartError, match=r"it lacks model\.safetensors\.index\.json"):
        verify_weights(make(LocalWeights(path=str(folder))))


# ── Copies of a models folder ─────────────────────────────────────────────────────────────────────────

HUB = HubWeights(repo="org/some-bert", revision="f" * 40, allow_pickle=True)


@pytest.mark.parametrize("place", ["org/some-bert", "some-bert", "tiny"])
def test_a_copy_is_found_by_the_repositorys_name_or_the_models(
    folder: Path, make: MakeModel, tmp_path: Path, place: str
) -> None:
    copy = tmp_path / "models" / place
    copy.parent.mkdir(parents=True)
    folder.rename(copy)
    models = use_copies({"tiny": make(HUB)}, tmp_path / "models")
    assert models["tiny"].weights == LocalWeights(path=str(copy), allow_pickle=True)
    assert weights_identity(models["tiny"]).startswith("local:")


def test_a_model_without_a_copy_keeps_its_own_source(tmp_path: Path, make: MakeModel) -> None:
    wheel = WheelWeights(packages=("p==1",), members=("m",), sha256="0" * 64)
    models = {"tiny": make(HUB), "other": make(wheel), "own": make(LocalWeights(path="/x"))}
    assert use_copies(models, tmp_path) == models


def test_a_models_folder_that_does_not_exist_is_named(tmp_path: Path, make: MakeModel) -> None:
    with pytest.raises(CannotStartError, match=r"there is no models folder .*nowhere"):
        use_copies({"tiny": make(HUB)}, tmp_path / "nowhere")


def test_a_pickled_copy_is_used_where_the_manifest_allows_the_original(
    folder: Path, make: MakeModel, tmp_path: Path
) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    folder.rename(tmp_path / "tiny")
    allowed = use_copies({"tiny": make(HUB)}, tmp_path)["tiny"]
    assert weights_dir(allowed) == tmp_path / "tiny"
    refused = use_copies({"tiny": make(HubWeights(repo="org/b", revision="f" * 40))}, tmp_path)["tiny"]
    with pytest.raises(CannotStartError, match="pickle file"):
        verify_weights(refused)
