"""Text from data sets, models and logs, made safe for a terminal."""

from __future__ import annotations

import re

# Sequences first: without their ESC, the rest of one would stay behind as text. One that carries a text and
# never ends loses its beginning only: what follows may be the text that was meant to be hidden.
STRING_SEQUENCE = r"(?:\x1b[PX\]^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
CONTROL_SEQUENCE = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
ESCAPE = r"\x1b[ -/]*[0-~]?"
SEQUENCES = re.compile(f"{STRING_SEQUENCE}|{CONTROL_SEQUENCE}|{ESCAPE}")
# Line and paragraph separators count as white space; C0, C1, DEL and what turns the reading direction go.
SPACES = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
C1_AND_DIRECTIONS = r"\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
CONTROLS = re.compile(rf"[\x00-\x1f{C1_AND_DIRECTIONS}]")
# What JSON permits in a string as it is.
UNESCAPED = re.compile(rf"[{C1_AND_DIRECTIONS}\u2028\u2029]")
SURROGATES = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return a text as one line without anything that a terminal obeys.

    Escape sequences, control characters and direction marks go; line breaks and tabs become spaces.
    """
    text = SPACES.sub(" ", SEQUENCES.sub("", text))
    return SURROGATES.sub("\ufffd", CONTROLS.sub("", text))


def escape_json(document: str) -> str:
    r"""Return a JSON document of the same content in which a terminal finds nothing to obey.

    JSON itself escapes the controls below U+0020 only. The others and direction marks can stand nowhere but
    in its strings: there they become \uXXXX.
    """
    return UNESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
