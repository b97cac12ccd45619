"""The starter sets are sound: balanced, free of duplicates, and not solvable by a shortcut."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import nlu_arena

STARTER = Path(nlu_arena.__file__).parent / "starter"
ROWS = {
    ("sst2", "train"): 240,
    ("sst2", "dev"): 120,
    ("rte", "train"): 160,
    ("rte", "dev"): 120,
    ("mnli", "train"): 180,
    ("mnli", "dev_matched"): 120,
    ("mnli", "dev_mismatched"): 60,
}
LABELS = {
    "sst2": {"negative", "positive"},
    "rte": {"entailment", "not_entailment"},
    "mnli": {"entailment", "neutral", "contradiction"},
}
# What a shortcut may reach at most in five-fold cross-validation over all rows of a task.
CEILING = {"sst2": 0.62, "rte": 0.62, "mnli": 0.48}
TASKS = sorted(LABELS)

Row = dict[str, str]


def read_split(task: str, split: str) -> list[Row]:
    lines = (STARTER / task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read_task(task: str) -> list[Row]:
    return [row for name, split in ROWS if name == task for row in read_split(task, split)]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def texts_of(row: Row) -> list[str]:
    return [row["text"]] if "text" in row else [row["premise"], row["hypothesis"]]


def shortcut_accuracy(features: np.ndarray, labels: list[str], model: BaseEstimator) -> float:
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    return float(cross_val_score(model, features, labels, cv=folds).mean())


def dense_models() -> list[BaseEstimator]:
    return [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        DecisionTreeClassifier(max_depth=3, random_state=0),
    ]


def length_features(rows: list[Row]) -> np.ndarray:
    return np.array(
        [[f(text) for text in texts_of(row) for f in (len, lambda t: len(words(t)))] for row in rows],
        dtype=float,
    )


def overlap_features(rows: list[Row]) -> np.ndarray:
    def one(row: Row) -> list[float]:
        premise, hypothesis = set(words(row["premise"])), set(words(row["hypothesis"]))
        shared = len(premise & hypothesis)
        return [shared, shared / len(hypothesis), shared / len(premise | hypothesis)]

    return np.array([one(row) for row in rows])


@pytest.mark.parametrize(("task", "split"), ROWS)
def test_every_split_has_its_rows_with_balanced_labels_and_unique_ids(task: str, split: str) -> None:
    rows = read_split(task, split)
    assert len(rows) == ROWS[task, split]
    counts = Counter(row["label"] for row in rows)
    assert set(counts) == LABELS[task]
    assert len(set(counts.values())) == 1, counts
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        for text in texts_of(row):
            assert text == text.strip() and len(words(text)) >= 3, row
            assert "\n" not in text and "\t" not in text, row


@pytest.mark.parametrize("task", TASKS)
def test_no_text_is_repeated_nor_nearly_repeated(task: str) -> None:
    rows = read_task(task)
    keys = [" ".join(words(" ".join(texts_of(row)))) for row in rows]
    assert len(set(keys)) == len(keys)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(keys)
    similarity = (grams @ grams.T).toarray()
    np.fill_diagonal(similarity, 0.0)
    row, other = np.unravel_index(similarity.argmax(), similarity.shape)
    assert similarity.max() < 0.7, (keys[row], keys[other], similarity.max())


@pytest.mark.parametrize("task", ["rte", "mnli"])
def test_no_premise_is_shared_between_splits(task: str) -> None:
    seen: dict[str, str] = {}
    for name, split in ROWS:
        if name == task:
            for row in read_split(task, split):
                premise = " ".join(words(row["premise"]))
                assert seen.setdefault(premise, split) == split, row


@pytest.mark.parametrize("task", TASKS)
def test_length_does_not_give_the_label_away(task: str) -> None:
    rows = read_task(task)
    labels = [row["label"] for row in rows]
    for model in dense_models():
        assert shortcut_accuracy(length_features(rows), labels, model) < CEILING[task]


@pytest.mark.parametrize("task", ["rte", "mnli"])
@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)])
def test_the_hypothesis_alone_does_not_give_the_label_away(task: str, ngrams: tuple[int, int]) -> None:
    rows = read_task(task)
    labels = [row["label"] for row in rows]
    bag = CountVectorizer(tokenizer=words, token_pattern=None, lowercase=False, ngram_range=ngrams)
    features = bag.fit_transform(row["hypothesis"] for row in rows)
    model = LogisticRegression(max_iter=2000)
    assert shortcut_accuracy(features, labels, model) < CEILING[task]


@pytest.mark.parametrize("task", ["rte", "mnli"])
def test_word_overlap_does_not_give_the_label_away(task: str) -> None:
    rows = read_task(task)
    labels = [row["label"] for row in rows]
    for model in dense_models():
        assert shortcut_accuracy(overlap_features(rows), labels, model) < CEILING[task]


def test_mismatched_rows_come_from_other_genres_than_training() -> None:
    genres = {
        split: {row["genre"] for row in read_split("mnli", split)} for task, split in ROWS if task == "mnli"
    }
    assert len(genres["train"]) == 5
    assert genres["dev_matched"] == genres["train"]
    assert not genres["dev_mismatched"] & genres["train"]
