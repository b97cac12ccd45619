"""The data set repository: three tasks of GLUE, and neighbours of them that nobody needs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count, islice, product
from typing import Any

from tests.standin.repository import Repository

NAME = "nyu-mll/glue"
REVISION = "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c"
ROWS = {"train": 48, "validation": 24, "test": 12}
NLI = ("entailment", "neutral", "contradiction")
# In the order of the real card, which begins with one that has no training split.
LABELS = {
    "ax": NLI,
    "mnli": NLI,
    "mnli_matched": NLI,
    "rte": ("entailment", "not_entailment"),
    "sst2": ("negative", "positive"),
}
SPLITS = {
    "ax": ("test",),
    "mnli": ("train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched"),
    "mnli_matched": ("validation", "test"),
    "rte": ("train", "validation", "test"),
    "sst2": ("train", "validation", "test"),
}

Row = dict[str, Any]


def build_glue() -> Repository:
    """Return the data set's repository: a parquet file for each split, as `datasets` writes it."""
    files = {".gitattributes": b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"}
    sheets = []
    for config, labels in LABELS.items():
        splits = []
        for split in SPLITS[config]:
            rows = list(islice(read_rows(config, split), ROWS[split.partition("_")[0]]))
            content, size = _write_parquet(rows, labels)
            files[f"{config}/{split}-00000-of-00001.parquet"] = content
            splits.append((split, size, len(rows)))
        sheets.append((config, splits))
    files["README.md"] = _write_card(sheets).encode()
    return Repository(NAME, REVISION, files, kind="datasets")


def read_rows(config: str, split: str) -> Iterator[Row]:
    """Yield the rows of a split; their labels take turns, and the test splits hide theirs."""
    make = _make_opinion if config == "sst2" else _make_pair
    # Each split goes through the same words from another place on.
    start = 7 * sum(map(ord, split))
    for number in count():
        label = number % len(LABELS[config])
        row = make(start + number // len(LABELS[config]), label)
        if LABELS[config] == NLI:
            row = {"premise": row["sentence1"], "hypothesis": row["sentence2"]}
        yield {**row, "label": -1 if split.startswith("test") else label, "idx": number}


def _make_opinion(number: int, label: int) -> Row:
    subjects = ["the film", "this story", "her second novel", "the old theatre", "the first act"]
    tails = ["from start to end", "for the whole evening", "and nobody will forget it", "once again"]
    words = [["dull", "awful", "tedious", "clumsy", "bad"], ["lovely", "superb", "moving", "clever", "good"]]
    choices = list(product(subjects, tails, range(5)))
    subject, tail, word = choices[number % len(choices)]
    return {"sentence": f"{subject} was {words[label][word]} {tail} "}


def _make_pair(number: int, label: int) -> Row:
    people = ["The baker", "A teacher", "My neighbour", "The captain", "Our guide"]
    things = ["bread", "apples", "maps", "candles", "letters", "chairs"]
    places = ["in the harbour", "at the market", "by the river", "near the school"]
    choices = list(product(places, people, things))
    place, who, what = choices[number % len(choices)]
    claims = [
        f"{who} sold {what}.",
        f"{who} will also buy a boat.",
        f"{who} has never sold any {what}.",
    ]
    return {"sentence1": f"{who} sold some {what} {place} this morning.", "sentence2": claims[label]}


def _write_parquet(rows: list[Row], labels: tuple[str, ...]) -> tuple[bytes, int]:
    """Return a parquet file of the rows, and their size in memory in bytes."""
    from datasets import ClassLabel, Dataset, Features, Value, disable_progress_bars

    disable_progress_bars()
    kinds = {"label": ClassLabel(names=list(labels)), "idx": Value("int32")}
    features = Features({name: kinds.get(name, Value("string")) for name in rows[0]})
    dataset = Dataset.from_list(rows, features=features)
    buffer = io.BytesIO()
    dataset.to_parquet(buffer)
    return buffer.getvalue(), dataset.data.nbytes


def _write_card(sheets: list[tuple[str, list[tuple[str, int, int]]]]) -> str:
    """Return the README whose head tells `datasets` what there is and in which files."""
    lines = ["---", "language:", "- en", "license:", "- other", "pretty_name: GLUE", "config_names:"]
    lines += [f"- {config}" for config, _ in sheets]
    lines.append("dataset_info:")
    for config, splits in sheets:
        lines += [f"- config_name: {config}", "  features:"]
        texts = [name for name in next(read_rows(config, "train")) if name not in ("label", "idx")]
        lines += [f"  - name: {name}\n    dtype: string" for name in texts]
        lines += ["  - name: label", "    dtype:", "      class_label:", "        names:"]
        lines += [f"          '{number}': {label}" for number, label in enumerate(LABELS[config])]
        lines += ["  - name: idx", "    dtype: int32", "  splits:"]
        for split, size, rows in splits:
            lines += [f"  - name: {split}", f"    num_bytes: {size}", f"    num_examples: {rows}"]
        total = sum(size for _, size, _ in splits)
        lines += [f"  download_size: {total // 2}", f"  dataset_size: {total}"]
    lines.append("configs:")
    for config, splits in sheets:
        lines += [f"- config_name: {config}", "  data_files:"]
        lines += [f"  - split: {split}\n    path: {config}/{split}-*" for split, _, _ in splits]
    return "\n".join([*lines, "---", "", "# A stand-in for GLUE", ""])
