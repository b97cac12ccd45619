"""TOML files read strictly: what is wrong, in which file, at which place, and the nearest valid word."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from nlu_arena.errors import CannotStartError, UsageError
from nlu_arena.naming import suggest

T = TypeVar("T")

# msgspec ends a message with the place: "... - at `$.weights.repo`", "... - at `key` in `$.train`".
PLACE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`?key`? in )?`\$(?P<place>.*)`)?", re.DOTALL)
STEP = re.compile(r"\.([^.\[]+)|\[[^\]]*\]")
BAD_WORD = re.compile(r"(?:unknown field `|Invalid (?:enum )?value ')(?P<word>[^`']*)[`']")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        UsageError: The file is not TOML; the message has the line.
        CannotStartError: The file cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}", "Correct the file at that place.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: it is not UTF-8 text", "Save it as UTF-8.") from error
    except OSError as error:
        raise CannotStartError(f"cannot read {path}: {error.strerror}") from error


def convert(raw: Any, kind: type[T], where: str) -> T:
    """Turn plain data into a record, strictly.

    Args:
        raw: Tables, lists and values as TOML has them.
        kind: The record's type.
        where: The file, and the table in it, that a message names.

    Raises:
        UsageError: An unknown key, a missing key, a wrong type or a value that is not allowed.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _explain(str(error), kind, where) from error


def _explain(message: str, kind: type, where: str) -> UsageError:
    """Say a validation error in the words of the file."""
    parts = PLACE.fullmatch(message)
    what, place = (parts["what"], parts["place"] or "") if parts else (message, "")
    what = what.replace("Object contains unknown field", "unknown key").replace("Object missing", "missing")
    what = what.replace("`object`", "a table").replace("`array`", "a list").replace("field", "key")
    table = place.lstrip(".")
    text = f"{where}: {table}: {what}" if table else f"{where}: {what}"
    bad = BAD_WORD.search(message)
    in_keys = bool(parts and parts["key"])
    return UsageError(text, suggest(bad["word"], _valid_words(kind, place, in_keys)) if bad else "")


def _valid_words(kind: type, place: str, in_keys: bool) -> set[str]:
    """Return the keys or values that are valid at a place ("", ".weights", ".block[0].modes[0]")."""
    from msgspec import inspect

    here: list[Any] = [inspect.type_info(kind)]
    for step in STEP.finditer(place):
        here = [inner for one in _flat(here) for inner in _enter(one, step[1])]
    words: set[str] = set()
    for one in _flat(here):
        target = one.key_type if in_keys and isinstance(one, inspect.DictType) else one
        if isinstance(target, inspect.LiteralType):
            words.update(str(value) for value in target.values)
        elif isinstance(target, inspect.StructType):
            words.update(field.encode_name for field in target.fields)
    return words


def _flat(types: list[Any]) -> list[Any]:
    """Replace every union by its members."""
    from msgspec import inspect

    return [m for one in types for m in (one.types if isinstance(one, inspect.UnionType) else (one,))]


def _enter(one: Any, key: str | None) -> list[Any]:
    """Return the types found under a key of a record, or (no key) inside a list or table."""
    from msgspec import inspect

    if isinstance(one, inspect.StructType) and key is not None:
        if key == one.tag_field:
            return [inspect.LiteralType((one.tag,))]
        return [field.type for field in one.fields if field.encode_name == key]
    if isinstance(one, inspect.DictType):
        return [one.value_type]
    if isinstance(one, inspect.VarTupleType | inspect.ListType):
        return [one.item_type]
    return []
