"""What a weights folder looks like: the layout of a repository on the model hub."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path

CONFIG = "config.json"
# Everything that loading needs and nothing else: no README, no ONNX, no TensorFlow weights.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spm.model",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
WEIGHT_PATTERNS = ("*.safetensors", "*.safetensors.index.json")
PICKLE_WEIGHTS = "pytorch_model.bin"
_VOCABULARIES = {"tokenizer.json", "tokenizer.model", "spm.model", "vocab.txt", "vocab.json"}
_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_HEADER_LENGTH_BYTES = 8


def wanted_patterns(*, allow_pickle: bool = False) -> list[str]:
    """Return the patterns of the files that a weights folder holds."""
    patterns = [CONFIG, *TOKENIZER_FILES, *WEIGHT_PATTERNS]
    return [*patterns, PICKLE_WEIGHTS] if allow_pickle else patterns


def is_wanted(name: str, *, allow_pickle: bool = False) -> bool:
    """Say whether a file of this name belongs into a weights folder."""
    # A star also matches a slash: a file of a subfolder is not one of ours.
    return "/" not in name and any(
        fnmatch(name, pattern) for pattern in wanted_patterns(allow_pickle=allow_pickle)
    )


def find_files(folder: Path, *, allow_pickle: bool = False) -> list[Path]:
    """Return the files of a weights folder that loading may read, sorted by name."""
    wanted = [f for f in folder.iterdir() if f.is_file() and is_wanted(f.name, allow_pickle=allow_pickle)]
    return sorted(wanted, key=lambda file: file.name)


def find_lack(names: Collection[str], *, allow_pickle: bool = False) -> str:
    """Return what files of these names lack to be loaded, as a clause, or an empty text."""
    wanted = {name for name in names if is_wanted(name, allow_pickle=allow_pickle)}
    if CONFIG not in wanted:
        return f"it has no {CONFIG}"
    if not wanted & _VOCABULARIES:
        return "it has no tokenizer file (tokenizer.json, vocab.txt, spm.model, …)"
    if PICKLE_WEIGHTS in wanted or any(fnmatch(name, WEIGHT_PATTERNS[0]) for name in wanted):
        return ""
    if PICKLE_WEIGHTS in names:
        return f"its weights are a pickle file ({PICKLE_WEIGHTS}), which can run code when it is read"
    return "it has no *.safetensors file"


def find_problem(folder: Path, *, allow_pickle: bool = False) -> str:
    """Return why a folder cannot be loaded, as a clause, or an empty text when it is complete."""
    names = {file.name for file in folder.iterdir()}
    return find_lack(names, allow_pickle=allow_pickle) or _find_shard_problem(folder, names)


def _find_shard_problem(folder: Path, names: set[str]) -> str:
    """Return what is wrong with a sharded checkpoint as a clause, or an empty text when there is nothing."""
    if _INDEX not in names:
        return f"it lacks {_INDEX}" if any(_SHARD.fullmatch(name) for name in names) else ""
    try:
        listed = set(json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"its {_INDEX} cannot be read"
    missing = sorted(listed - names)
    return f"it lacks {', '.join(missing)}" if missing else ""


def find_damage(file: Path) -> str:
    """Return what is wrong with a safetensors file by its own header, or an empty text.

    It finds a file that was cut short, not one whose numbers were changed.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_HEADER_LENGTH_BYTES), "little")
        if not 0 < length <= size:
            return "it does not begin with a safetensors header"
        try:
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return "its safetensors header cannot be read"
    expected = _HEADER_LENGTH_BYTES + length + max(ends, default=0)
    return f"it is truncated: {size} of {expected} bytes" if size < expected else ""
