"""A file becomes a task: its labels as found, a split, and a prompt made from the label names."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nlu_arena.datafile import list_columns, whole_path
from nlu_arena.dataref import TRAIN, resolve_data
from nlu_arena.errors import UsageError
from nlu_arena.ownfile.labels import check_dev_labels, find_labels
from nlu_arena.ownfile.splits import FileSplits, arrange, remember
from nlu_arena.ownfile.table import check_columns, read_table
from nlu_arena.ownfile.words import derive_words
from nlu_arena.settings import LORA_DEFAULTS
from nlu_arena.spec import Columns, DevSplit, PromptSpec, TableData, TaskData, TaskSpec
from nlu_arena.spec.base import Mode

# What is taken for a column that is not named: exactly these names, no guesses.
USUAL = Columns(text="text", label="label", pair="pair")
# Characters of a task's name, which is part of the names of folders.
LONGEST_NAME = 60


class OwnFile(NamedTuple):
    """What a person says of their files: the columns, and a dev file or none."""

    path: Path
    text: str | None = None
    pair: str | None = None
    label: str | None = None
    dev: Path | None = None


class Draft(NamedTuple):
    """A task made from a file, and its splits as they were read for it."""

    own: OwnFile
    task: TaskSpec
    splits: FileSplits

    @property
    def counts(self) -> Mapping[str, Sequence[int]]:
        """Return the rows of each label, by split."""
        found = {split: Counter(row.label for row in rows) for split, rows in self.splits.examples.items()}
        return {s: [counts[n] for n in range(len(self.task.labels))] for s, counts in found.items()}


def draft_task(own: OwnFile, name: str) -> Draft:
    """Make a task of a file.

    Args:
        own: The file and what it has.
        name: The task's name.

    Raises:
        UsageError: The file, a column, a row or the labels cannot be used.
    """
    path = whole_path(own.path)
    columns = _choose_columns(own, path)
    files = {TRAIN: read_table(path, columns)}
    labels = find_labels(files[TRAIN].labels, path, columns.label)
    if own.dev is not None:
        dev = whole_path(own.dev)
        if dev == path:
            raise UsageError(
                f"--dev is the training file itself: {path}", "Without --dev a part of it is kept for dev."
            )
        files["dev"] = read_table(dev, columns)
        check_dev_labels(files["dev"], labels, columns.label)
    table = TableData(
        folder=str(path.parent),
        columns=columns,
        train=path.name,
        dev={} if own.dev is None else {"dev": os.path.relpath(whole_path(own.dev), path.parent)},
        split=DevSplit() if own.dev is None else None,
    )
    splits = arrange(files, labels, table)
    task = _describe(name, path, labels, table, len(splits.examples[TRAIN]))
    remember(task, resolve_data(task, "file"), splits)
    return Draft(own, task, splits)


def name_task(path: Path, taken: Collection[str]) -> str:
    """Return a valid name for a file's task: its own name in small letters, with "-file" if that is taken.

    Accents go, and other letters that a name cannot have; a short hash of the file's name then tells it from
    others, as where the name is very long.
    """
    stem = unicodedata.normalize("NFC", path.stem)
    # Accents become characters of their own.
    parts = unicodedata.normalize("NFKD", stem).lower()
    letters = "".join(sign for sign in parts if not unicodedata.combining(sign))
    name = re.sub(r"[^a-z0-9._-]+", "-", letters).strip("-._")
    is_lossy = any(sign.isalnum() and not sign.isascii() for sign in letters)
    if is_lossy or not name or len(name) > LONGEST_NAME:
        digest = hashlib.sha256(stem.encode(errors="surrogateescape")).hexdigest()[:6]
        name = f"{name[:LONGEST_NAME] or 'rows'}-{digest}"
    while name in taken:
        name += "-file"
    return name


def _choose_columns(own: OwnFile, path: Path) -> Columns:
    """Return the columns that were named; those that were not have their usual names."""
    # A second text is not taken silently when the first was named.
    usual_pair = USUAL.pair if own.text is None and USUAL.pair in list_columns(path) else ""
    pair = own.pair or usual_pair
    columns = Columns(text=own.text or USUAL.text, label=own.label or USUAL.label, pair=pair)
    check_columns(path, columns)
    named = [name for name in (columns.text, columns.pair, columns.label) if name]
    if len(set(named)) < len(named):
        raise UsageError(
            f"one column cannot be two things: {', '.join(named)}",
            "--text, --text-pair and --label name different columns.",
        )
    return columns


def _describe(name: str, path: Path, labels: tuple[str, ...], table: TableData, rows: int) -> TaskSpec:
    prompt = draft_prompt(labels, is_pair=bool(table.columns.pair))
    return TaskSpec(
        name=name,
        title=path.name,
        type=f"{'text pairs' if table.columns.pair else 'texts'} ({len(labels)} labels)",
        labels=labels,
        train_rows=rows,
        difficulty="unknown",
        licence="your own",
        prompt=prompt,
        data=TaskData(file=table),
        train=_make_room(prompt.instruction),
    )


def draft_prompt(labels: Sequence[str], *, is_pair: bool) -> PromptSpec:
    """Return a prompt that lists the label words.

    Raises:
        UsageError: A label has no word.
    """
    words = derive_words(labels)
    asked = "Classify the pair of texts." if is_pair else "Classify the text."
    return PromptSpec(
        instruction=f"{asked} Answer with one of: {', '.join(words.values())}",
        template="First: {text}\nSecond: {pair}" if is_pair else "Text: {text}",
        cue="Label:",
        words=words,
    )


def _make_room(instruction: str) -> dict[Mode, dict[str, Any]]:
    """Return the settings that let an instruction stand before the texts that LoRA trains with.

    Two bytes are counted as a token: about twice what label names in letters need, and enough for Chinese
    ones in a byte-level vocabulary. The usual length is left for the text, its frame and the label.
    """
    return {"lora": {"max_length": len(instruction.encode()) // 2 + int(LORA_DEFAULTS["max_length"])}}
