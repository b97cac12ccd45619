"""What was made of a person's file, as lines: its labels and their words, its splits, how to change it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from nlu_arena.ownfile.draft import Draft, OwnFile
from nlu_arena.ownfile.labels import show_label
from nlu_arena.settings import LORA_DEFAULTS
from nlu_arena.spec import DevSplit, TableData
from nlu_arena.views.text import clean

# So many labels are shown, the most frequent ones first.
SHOWN_LABELS = 8
# Characters of an instruction.
SHOWN = 160


def draft_lines(draft: Draft) -> Iterator[str]:
    """Say what a file was taken for; the notes on its rows are not among it."""
    task, table = draft.task, draft.task.data.file
    assert table is not None, "a draft is made of a file"
    columns = [f"text {table.columns.text!r}", f"label {table.columns.label!r}"]
    columns[1:1] = [f"second text {table.columns.pair!r}"] if table.columns.pair else []
    yield clean(f"task: {task.name}, from {draft.own.path}: columns {', '.join(columns)}")
    yield f"splits: {_describe_splits(draft, table)}"
    yield clean(f"labels with their words and rows: {_describe_labels(draft)}")
    instruction = task.prompt.instruction
    yield clean(f"asked as: {instruction if len(instruction) <= SHOWN else f'{instruction[:SHOWN]}…'}")
    length = task.train["lora"]["max_length"]
    if length > 2 * LORA_DEFAULTS["max_length"]:
        yield (
            f"the instruction is long: LoRA through it reads up to {length:,} tokens (train.lora.max_length)"
        )


def new_command(own: OwnFile, name: str) -> str:
    """Return the command that writes a file's task as a manifest."""
    given = {"--text": own.text, "--text-pair": own.pair, "--label": own.label, "--dev": own.dev}
    options = [word for option, value in given.items() if value is not None for word in (option, str(value))]
    return shlex.join(["nlu-arena", "new", "task", name, "--from", str(own.path), *options])


def _describe_splits(draft: Draft, table: TableData) -> str:
    sizes = ", ".join(f"{split} {len(rows):,}" for split, rows in draft.splits.examples.items())
    return f"{sizes} rows ({_describe_rule(table.split)})"


def _describe_rule(split: DevSplit | None) -> str:
    if split is None:
        return "each from its own file"
    return f"{split.share:.0%} of each label for dev by seed {split.seed}, equal texts on one side"


def _describe_labels(draft: Draft) -> str:
    counts = [sum(numbers) for numbers in zip(*draft.counts.values(), strict=True)]
    found = list(zip(draft.task.labels, counts, strict=True))
    shown = found if len(found) <= SHOWN_LABELS else sorted(found, key=lambda item: -item[1])[:SHOWN_LABELS]
    texts = [f"{_with_word(label, draft.task.prompt.words[label])} ({rows:,})" for label, rows in shown]
    rest = len(found) - len(shown)
    rarest = min(rows for _, rows in found)
    return ", ".join([*texts, *([f"and {rest} more (the rarest has {rarest:,})"] if rest else [])])


def _with_word(label: str, word: str) -> str:
    shown, answer = show_label(clean(label)), show_label(clean(word))
    return shown if shown == answer else f"{shown} → {answer!r}"
