"""JSONL files: one object a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nlu_arena.csvfile import NOT_UTF8, refuse_wide_text
from nlu_arena.errors import UsageError


def read_jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    """Read the objects of a file; empty lines are no rows.

    Raises:
        UsageError: A line is no JSON object, or no text in UTF-8.
        OSError: The file cannot be read.
    """
    row = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if number == 1:
                refuse_wide_text(path, line)
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not text.strip():
                continue
            row += 1
            where = f"{path}, row {row:,} (line {number:,})"
            try:
                yield msgspec.json.decode(text.decode(), type=dict[str, Any])
            except UnicodeDecodeError as error:
                raise UsageError(f"{where}: not UTF-8 text", NOT_UTF8) from error
            except msgspec.MsgspecError as error:
                raise UsageError(
                    f"{where}: not a JSON object: {error}", 'A line is one: {"text": "…", "label": "…"}.'
                ) from error
