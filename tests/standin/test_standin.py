"""The stand-in hub before the real clients: they download, load and are refused as at the real one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.standin import Faults, Repository, StandInHub, build_repositories
from tests.standin.checkpoints import BERT, DEBERTA, GEMMA, QWEN_LARGE, QWEN_SMALL, REVISIONS
from tests.standin.glue import NAME as GLUE

REVISION = "0123456789abcdef0123456789abcdef01234567"
# What the client's download takes at a time: only whole pieces outlive a broken connection.
PIECE = 10 * 1024 * 1024

FETCH = """
for name, revision, kind in ARGUMENTS:
    print(huggingface_hub.snapshot_download(name, revision=revision, repo_type=kind))
"""
LOAD = """
import torch, transformers
transformers.logging.set_verbosity_error()
told = {}
for name, folder, labels in ARGUMENTS:
    kind = "SequenceClassification" if labels else "CausalLM"
    options = {"num_labels": labels} if labels else {}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model, report = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, **options
    )
    batch = tokenizer(["the film was good", "bread"], ["yes", "The baker sold bread."], padding=True)
    logits = model(**{key: torch.tensor(value) for key, value in batch.items()}).logits
    turns = [{"role": role, "content": "maybe"} for role in ("user", "assistant", "user")]
    told[name] = {
        "model": type(model).__name__,
        "missing": sorted(report["missing_keys"]),
        "finite": bool(logits.isfinite().all()),
        "keys": sorted(batch),
        "first": tokenizer.convert_ids_to_tokens(tokenizer("good")["input_ids"])[0],
        "unknown": tokenizer.unk_token_id in batch["input_ids"][1],
        "chat": "" if labels else tokenizer.apply_chat_template(turns, tokenize=False),
    }
print(json.dumps(told))
"""
READ = """
import datasets
folder, name, revision = ARGUMENTS
where = [(folder, {}), (name, {"revision": revision})]
for path, options in where:
    rows = datasets.load_dataset(path, "sst2", split="validation", **options)
    print(json.dumps([rows.features["label"].names, len(rows), rows[1]]))
    print(list(datasets.load_dataset(path, "mnli", split="test_matched", **options)["label"]))
"""
ASK = """
api = huggingface_hub.HfApi()
def attempt(ask, *words, **options):
    try:
        return getattr(api, ask)(*words, **options)
    except Exception as error:
        return f"{type(error).__name__} {error.response.status_code}: {error.server_message}"
for ask, words, options in ARGUMENTS:
    print(attempt(ask, *words, **options))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandInHub, Path, dict[str, Path]]]:
    """A hub from which a client has fetched everything: the hub, the client's home, the folders by name."""
    home = tmp_path_factory.mktemp("home")
    wanted = [(each.name, each.revision, each.kind.removesuffix("s")) for each in build_repositories()]
    with StandInHub(build_repositories()) as hub:
        folders = run_client(hub, home, FETCH, wanted).splitlines()
        yield hub, home, {name: Path(folder) for (name, _, _), folder in zip(wanted, folders, strict=True)}


def run_client(
    hub: StandInHub, home: Path, code: str, arguments: Any, token: str | None = StandInHub.token
) -> str:
    """Run a client in a fresh process, because it reads its variables when it is imported."""
    head = f"import json, huggingface_hub\nARGUMENTS = json.loads({json.dumps(arguments)!r})\n"
    ended = subprocess.run(
        [sys.executable, "-c", head + code],
        env=hub.environment(home, token),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def ask_plainly(address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Send one GET without any client of the hub."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def address_of(hub: StandInHub, name: str, path: str) -> str:
    return f"{hub.endpoint}/{name}/resolve/{REVISIONS.get(name, REVISION)}/{path}"


def test_every_repository_arrives_whole(served: tuple[StandInHub, Path, dict[str, Path]]) -> None:
    hub, _, folders = served
    for repository in build_repositories():
        folder = folders[repository.name]
        assert folder.name == repository.revision
        arrived = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        assert {name: path.read_bytes() for name, path in arrived.items()} == repository.files
        assert {name: path.resolve().name for name, path in arrived.items()} == {
            name: blob.etag for name, blob in repository.blobs.items()
        }
    assert hub.downloads(BERT) == set(next(iter(build_repositories())).files)
    assert {request.status for request in hub.requests} == {200, 302, 307}


def test_the_token_never_reaches_the_host_of_the_large_files(
    served: tuple[StandInHub, Path, dict[str, Path]],
) -> None:
    hub, _, _ = served
    large = [request for request in hub.requests if request.file.endswith(".safetensors")]
    assert len(large) == 5
    assert not any(request.authorization for request in large)
    small = [request for request in hub.requests if request.file.endswith("config.json")]
    assert small and all(request.authorization == f"Bearer {hub.token}" for request in small)


def test_the_real_classes_load_what_arrived(served: tuple[StandInHub, Path, dict[str, Path]]) -> None:
    hub, home, folders = served
    wanted = [(name, str(folders[name]), 3 if name in (BERT, DEBERTA) else 0) for name in REVISIONS]
    told = json.loads(run_client(hub, home, LOAD, wanted))
    assert {name: report["model"] for name, report in told.items()} == {
        BERT: "BertForSequenceClassification",
        DEBERTA: "DebertaV2ForSequenceClassification",
        QWEN_SMALL: "Qwen2ForCausalLM",
        QWEN_LARGE: "Qwen2ForCausalLM",
        GEMMA: "Gemma2ForCausalLM",
    }
    head = ["classifier.bias", "classifier.weight"]
    assert told[BERT]["missing"] == head
    assert told[DEBERTA]["missing"] == [*head, "pooler.dense.bias", "pooler.dense.weight"]
    assert told[QWEN_SMALL]["missing"] == told[QWEN_LARGE]["missing"] == told[GEMMA]["missing"] == []
    assert all(report["finite"] and not report["unknown"] for report in told.values())
    assert [told[name]["first"] for name in (BERT, DEBERTA, GEMMA)] == ["[CLS]", "[CLS]", "<bos>"]
    assert told[BERT]["keys"] == told[DEBERTA]["keys"] == ["attention_mask", "input_ids", "token_type_ids"]
    assert told[QWEN_SMALL]["chat"].startswith("<|im_start|>system\n")
    assert told[QWEN_SMALL]["chat"].count("<|im_end|>\n") == 4
    assert told[GEMMA]["chat"] == "<bos>" + "".join(
        f"<start_of_turn>{role}\nmaybe<end_of_turn>\n" for role in ("user", "model", "user")
    )


def test_the_data_set_is_read_from_its_folder_and_by_its_name(
    served: tuple[StandInHub, Path, dict[str, Path]],
) -> None:
    hub, home, folders = served
    folder = folders[GLUE]
    told = run_client(hub, home, READ, [str(folder), GLUE, folder.name]).splitlines()
    assert told[:2] == told[2:]
    names, count, row = json.loads(told[0])
    assert (names, count, set(row)) == (["negative", "positive"], 24, {"sentence", "label", "idx"})
    assert row["label"] == 1
    assert set(json.loads(told[1])) == {-1}


def test_a_download_that_is_broken_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = random.Random(0).randbytes(2 * PIECE + 1000)
    files = {"config.json": b"{}", "model.safetensors": content}
    fetch = "for file in ARGUMENTS: print(huggingface_hub.hf_hub_download('org/large', file))"
    with StandInHub([Repository("org/large", REVISION, files)]) as hub:
        hub.faults.break_every = 2
        _, weights = run_client(hub, tmp_path, fetch, list(files)).splitlines()
        assert Path(weights).read_bytes() == content
        got = [(request.status, request.range) for request in hub.requests if request.method == "GET"]
    assert got == [(200, ""), (200, ""), (206, f"bytes={PIECE}-")]


def test_refusals_are_those_of_the_real_hub(standin_hub: StandInHub, tmp_path: Path) -> None:
    gated = ["hf_hub_download", [GEMMA, "config.json"], {}]
    asked = [
        gated,
        ["auth_check", [GEMMA], {}],
        ["repo_info", ["org/absent"], {}],
        ["file_exists", [BERT, "tf_model.h5"], {}],
    ]
    nobody = run_client(standin_hub, tmp_path, ASK, asked, token=None).splitlines()
    assert nobody[0].startswith("GatedRepoError 401: Access to model google/gemma-2-2b-it is restricted")
    assert nobody[1].startswith("GatedRepoError 401")
    assert nobody[2].startswith("RepositoryNotFoundError 401")
    assert nobody[3] == "True"
    member = [
        ["whoami", [], {}],
        ["auth_check", [GEMMA], {}],
        ["repo_info", ["org/absent"], {}],
        ["repo_info", [BERT], {"revision": REVISION}],
        ["hf_hub_download", [BERT, "absent.json"], {}],
        ["get_paths_info", [BERT, ["config.json"]], {}],
    ]
    answers = run_client(standin_hub, tmp_path, ASK, member).splitlines()
    assert "'name': 'member'" in answers[0]
    assert answers[1] == "None"
    assert [line.split()[:2] for line in answers[2:5]] == [
        ["RepositoryNotFoundError", "404:"],
        ["RevisionNotFoundError", "404:"],
        ["RemoteEntryNotFoundError", "404:"],
    ]
    assert "RepoFile(path='config.json'" in answers[5]
    told = run_client(standin_hub, tmp_path, ASK, [gated], token=standin_hub.stranger_token)
    assert told.startswith("GatedRepoError 403: Access to model google/gemma-2-2b-it is restricted")
    told = run_client(standin_hub, tmp_path, ASK, [["repo_info", [BERT], {}]], token="hf_unknown")
    assert told.strip() == "HfHubHTTPError 401: Invalid credentials in Authorization header"


def test_a_part_of_a_file_is_served(standin_hub: StandInHub) -> None:
    address = address_of(standin_hub, QWEN_SMALL, "merges.txt")
    _, whole, headers = ask_plainly(address)
    assert headers["X-Repo-Commit"] == REVISIONS[QWEN_SMALL]
    status, part, headers = ask_plainly(address, Range="bytes=5-9")
    assert (status, part, headers["Content-Range"]) == (206, whole[5:10], f"bytes 5-9/{len(whole)}")
    assert ask_plainly(address, Range=f"bytes={len(whole)}-")[0] == 416


def test_faults_come_as_often_as_they_are_asked_for(standin_hub: StandInHub) -> None:
    address = f"{standin_hub.endpoint}/api/models/{BERT}"
    standin_hub.faults.unavailable_every = 3
    assert [ask_plainly(address)[0] for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    assert "Retry-After" not in ask_plainly(address)[2]
    standin_hub.faults = Faults(limit_every=1, retry_after=7)
    status, _, headers = ask_plainly(address)
    assert (status, headers["Retry-After"]) == (429, "7")
    standin_hub.faults = Faults(down=True)
    assert {ask_plainly(address)[0] for _ in range(3)} == {503}
    assert [request.status for request in standin_hub.requests[-3:]] == [503, 503, 503]


def test_a_damaged_file_has_the_right_size_and_the_wrong_bytes(standin_hub: StandInHub) -> None:
    right = next(each for each in build_repositories() if each.name == BERT).files["vocab.txt"]
    standin_hub.faults.damaged.add(f"{BERT}/vocab.txt")
    _, wrong, _ = ask_plainly(address_of(standin_hub, BERT, "vocab.txt"))
    assert wrong != right and len(wrong) == len(right)


def test_a_connection_can_end_with_a_reset(standin_hub: StandInHub) -> None:
    standin_hub.faults = Faults(break_every=1, reset=True)
    with pytest.raises(ConnectionResetError):
        ask_plainly(address_of(standin_hub, BERT, "vocab.txt"))
