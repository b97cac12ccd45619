"""Pitfalls of labels, data and splits, P1 to P10: seen in runs and in the manifests that ship."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from nlu_arena.alarms import find_alarms
from nlu_arena.backend.data import read_split
from nlu_arena.census import find_differences
from nlu_arena.errors import ArenaError
from nlu_arena.events import ExampleSet, Predictions
from nlu_arena.metrics import compute_metrics
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile
from nlu_arena.registry import Registry
from nlu_arena.spec import DataRef, HubData, Prediction, Subset
from tests.modes.runs import FULL, MakeCell, do
from tests.pitfalls.conftest import MakeCase, WriteRows, with_other_files
from tests.views.ledgers import CPU


def test_p01_labels_are_mapped_by_name_whatever_their_order_in_the_data(
    make_cell: MakeCell, write_rows: WriteRows, tmp_path: Path
) -> None:
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(["Positive", "NEGATIVE"] * 3)]
    write_rows("dev", rows)
    answers = do(make_cell("decoder zero-shot"), tmp_path / "run").answers
    assert [answers[n].gold for n in range(6)] == [1, 0] * 3
    write_rows("dev", [*rows, {"text": "text 6", "label": "neutral"}])
    with pytest.raises(ArenaError, match="neutral"):
        do(with_other_files(make_cell("decoder zero-shot")), tmp_path / "other")


def test_p01_a_saved_head_with_its_labels_exchanged_scores_nothing(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    do(experiment, tmp_path / "run")
    file = tmp_path / "run" / "best_model" / "config.json"
    config = msgspec.json.decode(file.read_bytes())
    assert config["id2label"] == {"0": "negative", "1": "positive"}
    # The head's weights are exchanged too, as in a checkpoint that somebody trained in another order.
    from safetensors.torch import load_file, save_file

    weights = load_file(file.with_name("model.safetensors"))
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name].flip(0).contiguous()
    save_file(weights, file.with_name("model.safetensors"), metadata={"format": "pt"})
    with pytest.raises(ArenaError, match="other answers than the trained one"):
        do(experiment, tmp_path / "run")


def test_p01_an_accuracy_clearly_below_the_majority_share_is_an_alarm() -> None:
    gold = [0, 1] * 100
    answers = [Prediction(index=n, gold=g, predicted=1 - g, scores=(0.0, 0.0)) for n, g in enumerate(gold)]
    metrics = compute_metrics(gold, [answer.predicted for answer in answers], [0.9] * 200, n_labels=2)
    alarm = find_alarms(answers, metrics, ("no", "yes"), "dev")["below majority"]
    assert "label map" in alarm


def test_p02_nothing_is_chosen_on_dev(
    make_cell: MakeCell, opinion_data: Path, write_rows: WriteRows, tmp_path: Path
) -> None:
    experiment = make_cell("encoder fine-tune")
    held = msgspec.structs.replace(experiment, train=msgspec.structs.replace(FULL, held_out=0.25))
    before = {name: do(e, tmp_path / name) for name, e in (("last", experiment), ("held", held))}
    rows = [msgspec.json.decode(line) for line in (opinion_data / "dev.jsonl").read_text().splitlines()]
    other = {"negative": "positive", "positive": "negative"}
    write_rows("dev", [{**row, "label": other[row["label"]]} for row in rows])
    for name, e in (("last", experiment), ("held", held)):
        after = do(with_other_files(e), tmp_path / f"{name} again")
        for index, answer in before[name].answers.items():
            assert after.answers[index].scores == answer.scores
            assert after.answers[index].gold != answer.gold
        assert after.facts["selected_epoch"] == before[name].facts["selected_epoch"]
    assert before["last"].facts["selection"] == "last epoch"
    assert before["held"].facts["selection"] == "best on held-out train"


def test_p02_the_manifests_score_dev_splits_and_name_no_test_split(shipped: Registry) -> None:
    for task in shipped.tasks.values():
        assert isinstance(task.data.hub, HubData)
        assert task.data.hub.train == "train"
        assert all(split.startswith("validation") for split in task.data.hub.dev.values())


def test_p03_mnli_is_scored_on_matched_and_mismatched_apart(on_starter: MakeCase, tmp_path: Path) -> None:
    said = do(on_starter("decoder zero-shot", "mnli", subset=Subset(dev=6)), tmp_path / "run")
    splits = [event.split for event in said.of(ExampleSet)]
    assert splits == ["matched", "mismatched"]
    answered = Counter(chunk.split for chunk in said.of(Predictions) for _ in chunk.rows)
    assert answered == {"matched": 6, "mismatched": 6}


def test_p04_the_segments_of_a_pair_reach_bert(on_starter: MakeCase, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    case = on_starter("encoder fine-tune", "rte", subset=Subset(train=8, dev=4))
    said = do(case, tmp_path / "run")
    folder = tmp_path / "run" / "best_model"
    model, tokenizer = (
        kind.from_pretrained(folder) for kind in (AutoModelForSequenceClassification, AutoTokenizer)
    )
    example = said.of(ExampleSet)[0].examples[0]
    batch = tokenizer(example.text, example.pair, truncation=True, max_length=64, return_tensors="pt")
    with torch.inference_mode():
        scores = model(**batch).logits[0].log_softmax(dim=-1)
        swapped = (
            model(**{**batch, "token_type_ids": 1 - batch["token_type_ids"]}).logits[0].log_softmax(dim=-1)
        )
    found = torch.tensor(said.answers[0].scores)
    torch.testing.assert_close(found, scores, atol=1e-5, rtol=0)
    assert (found - swapped).abs().max() > 1e-3


def test_p05_texts_that_are_cut_are_counted_and_the_cue_is_not_cut(
    make_cell: MakeCell, write_rows: WriteRows, tmp_path: Path
) -> None:
    long = "The film is a warm and funny surprise. " * 60
    write_rows("dev", [{"text": long, "label": "positive"}, {"text": "A book", "label": "negative"}])
    head = do(make_cell("encoder fine-tune"), tmp_path / "head").facts["warnings"]
    assert head == ["1 of 2 texts of dev were cut to the longest length"]
    facts = do(make_cell("decoder few-shot"), tmp_path / "prompt").facts
    assert facts["shortened"] == 1
    assert len(facts["prompt_example"]) > len(long), "the example shows what was asked, not what was read"


def test_p05_the_manifests_leave_room_for_the_long_premises_of_rte(shipped: Registry) -> None:
    settings = shipped.task("rte").train
    assert settings["fine-tune"]["max_length"] >= 256
    assert settings["lora"]["max_length"] > settings["fine-tune"]["max_length"]


def test_p06_a_subset_of_sorted_rows_has_every_label_and_is_the_same_in_every_mode(
    make_cell: MakeCell, write_rows: WriteRows, tmp_path: Path
) -> None:
    labels = ["negative"] * 40 + ["positive"] * 40
    for split in ("train", "dev"):
        write_rows(split, [{"text": f"{split} text {n}", "label": label} for n, label in enumerate(labels)])
    subset, found = Subset(train=16, dev=10), set()
    for cell in ("encoder fine-tune", "decoder lora", "decoder zero-shot"):
        said = do(msgspec.structs.replace(make_cell(cell), subset=subset), tmp_path / cell)
        (dev,) = said.of(ExampleSet)
        assert Counter(example.label for example in dev.examples) == {0: 5, 1: 5}
        found.add(dev.fingerprint)
    assert len(found) == 1


def test_p07_fragments_are_not_shown_as_examples(
    on_starter: MakeCase, shipped: Registry, tmp_path: Path
) -> None:
    shortest = shipped.task("sst2").prompt.shot_min_words
    assert shortest >= 5
    facts = do(on_starter("decoder few-shot", "sst2", subset=Subset(dev=2), shots=2), tmp_path / "run").facts
    assert all(len(text.split()) >= shortest for text, *_ in facts["shots"])


def test_p08_the_texts_of_sst2_are_read_and_shown_as_the_file_has_them(
    on_starter: MakeCase, tmp_path: Path
) -> None:
    text = 'it did n\'t  "work" , and -lrb- i mean it -rrb- ... '
    for split in ("train", "dev"):
        (tmp_path / "SST-2").mkdir(exist_ok=True)
        (tmp_path / "SST-2" / f"{split}.tsv").write_text(f"sentence\tlabel\n{text}\t0\n", encoding="utf-8")
    data = DataRef(source="glue-dir", location=str(tmp_path), identity="glue")
    said = do(on_starter("decoder zero-shot", "sst2", data=data), tmp_path / "run")
    assert said.of(ExampleSet)[0].examples[0].text == text
    assert f"Sentence: {text}\n" in said.facts["prompt_example"]


def test_p09_splits_that_were_pooled_and_drawn_again_are_not_glue(shipped: Registry) -> None:
    rte = shipped.task("rte")
    assert find_differences(rte, {"train": (1249, 1241), "dev": (146, 131)}) == {}
    again = find_differences(rte, {"train": (1251, 1239), "dev": (144, 133)})
    assert set(again) == {"train", "dev"}
    assert find_differences(shipped.task("mnli"), {"mismatched": (3000, 3000, 3815)})


def test_p10_fine_tuning_and_lora_see_the_same_training_rows(
    make_cell: MakeCell, shipped: Registry, tmp_path: Path
) -> None:
    seen = {}
    for cell in ("encoder fine-tune", "decoder lora", "decoder lora with a head"):
        case = msgspec.structs.replace(make_cell(cell), subset=Subset(train=12, dev=2))
        facts = do(case, tmp_path / cell).facts
        seen[cell] = (facts["train_fingerprint"], facts["train_rows"])
    assert len(set(seen.values())) == 1
    assert seen["decoder lora"][1] == 12
    for profile in ("full", "laptop"):
        budgets = {
            (e.task.name, e.subset.train)
            for e in build_plan(load_profile(profile), shipped, [CPU], weights_identity=lambda m: m.name)
            if e.train is not None
        }
        assert len(budgets) == len(shipped.tasks), "one budget for each task"


def test_p01_glue_files_with_label_ids_and_with_names_give_the_same_examples(
    shipped: Registry, tmp_path: Path
) -> None:
    found = []
    for kind, labels in {"ids": ("0", "1"), "names": ("entailment", "not_entailment")}.items():
        (tmp_path / kind / "RTE").mkdir(parents=True)
        with (tmp_path / kind / "RTE" / "dev.tsv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t")
            writer.writerows(
                [("sentence1", "sentence2", "label"), ("a", "b", labels[0]), ("c", "d", labels[1])]
            )
        ref = DataRef(source="glue-dir", location=str(tmp_path / kind), identity=kind)
        found.append(read_split(shipped.task("rte"), ref, "dev"))
    assert found[0] == found[1]
    assert [example.label for example in found[0]] == [0, 1]
