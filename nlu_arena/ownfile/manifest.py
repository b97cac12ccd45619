"""Writing a drafted task as a manifest that people edit: every part with a comment on what it does."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nlu_arena.errors import CannotStartError
from nlu_arena.registry import read_task
from nlu_arena.replacement import replacing
from nlu_arena.spec import TableData, TaskSpec
from nlu_arena.views.text import CONTROLS

# Labels on one line up to this many.
ONE_LINE = 8
UNSEEN = re.compile(f"{CONTROLS.pattern}|[\u2028\u2029]")


def write_manifest(task: TaskSpec, path: Path) -> None:
    """Write a task's manifest, and read it back before it takes its place or that of another one.

    Args:
        task: The task; its data's folder is written as seen from the manifest where it is below the current
            folder.
        path: The file, whose folder is made if there is none.

    Raises:
        CannotStartError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_text(format_manifest(task, path.parent), encoding="utf-8")
            if read_task(part) != task:
                raise AssertionError("a manifest that is read back must be the task that was written")
    except OSError as error:
        raise CannotStartError(f"cannot write {path}: {error.strerror}") from error


def format_manifest(task: TaskSpec, folder: Path) -> str:
    """Return a task as TOML.

    Args:
        task: A task whose data are files of its own.
        folder: Where the manifest will be.
    """
    table = task.data.file
    assert table is not None, "only tasks with files of their own are written"
    prompt = task.prompt
    lines = [
        f"# How `--task {task.name}` reads {_comment(table.train)} and asks for its labels.",
        "# Another prompt, word, label or split is another experiment: its runs are done anew.",
        f"name = {_text(task.name)}",
        f"title = {_text(task.title)}",
        f"type = {_text(task.type)}",
        "# The values of the label column, without spaces around them.",
        f"labels = {_list(task.labels)}",
        f"train_rows = {task.train_rows} # as counted; only shown",
        f"difficulty = {_text(task.difficulty)} # only shown",
        f"licence = {_text(task.licence)} # only shown",
        "",
        "# What a language model is asked: the instruction once, then each text in the template and the cue.",
        "# If the labels do not explain themselves, say here what they mean.",
        "[prompt]",
        f"instruction = {_text(prompt.instruction)}",
        f"template = {_text(prompt.template)}",
        f"cue = {_text(prompt.cue)}",
        "",
        "# What it answers for each label: a word or a few, all different, as the instruction lists them.",
        "[prompt.words]",
        *(f"{_text(label)} = {_text(prompt.words[label])}" for label in task.labels),
        "",
        *_data(table, folder),
        "",
        "# Training settings of a mode. The longest LoRA prompt in tokens needs room for the instruction.",
        "[train]",
        *(f"{mode}.{key} = {value}" for mode, table in task.train.items() for key, value in table.items()),
    ]
    return "\n".join(lines) + "\n"


def _data(table: TableData, folder: Path) -> Iterable[str]:
    yield "# The folder is seen from this file. `pair` in columns is the second text of a pair."
    yield "[data.file]"
    yield f"folder = {_text(_relative(Path(table.folder), folder))}"
    columns = {"text": table.columns.text, "pair": table.columns.pair, "label": table.columns.label}
    yield f"columns = {_table({name: column for name, column in columns.items() if column})}"
    yield f"train = {_text(table.train)}"
    if table.split is None:
        yield f"dev = {_table(table.dev)}"
        return
    yield '# This share of each label is kept for dev, by the seed; or give a file: dev = { dev = "dev.csv" }'
    yield f"split = {{ share = {table.split.share}, seed = {table.split.seed} }}"


def _relative(data: Path, folder: Path) -> str:
    """Return the data's folder as seen from the manifest if both can move together, else as it is."""
    home = Path.cwd().resolve()
    return os.path.relpath(data, folder.resolve()) if data.is_relative_to(home) else str(data)


def _text(text: str) -> str:
    # A JSON string is a TOML string, but for DEL; and nothing that an editor or a terminal obeys stands bare.
    return UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(text, ensure_ascii=False))


def _list(texts: tuple[str, ...]) -> str:
    if len(texts) <= ONE_LINE:
        return f"[{', '.join(map(_text, texts))}]"
    return "\n".join(["[", *(f"    {_text(text)}," for text in texts), "]"])


def _table(texts: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{key} = {_text(text)}' for key, text in texts.items())} }}"


def _comment(text: str) -> str:
    """Keep a file's name inside its comment, whatever signs it has."""
    return _text(text)[1:-1]
