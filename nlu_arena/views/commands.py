"""Commands inside what a person is told, so that they do what is said when they are copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

# Commands that read or write a results folder: between backticks, or after a colon at the end of a line.
WITH_RESULTS = "sweep|run|status|compare|errors|recommend|report|predict"
QUOTED = re.compile(rf"(?<=`)nlu-arena (?:{WITH_RESULTS})\b[^`]*(?=`)")
LAST = re.compile(rf"(?<=: )nlu-arena (?:{WITH_RESULTS})\b[^`]*$")


def name_folder(text: str, results: str) -> str:
    """Return a text whose commands name the results folder; those that name one already stay.

    Args:
        text: What is said.
        results: The folder as it was given on the command line, empty where it was not.
    """

    def add(command: re.Match[str]) -> str:
        return with_folder(command.group(), results)

    return LAST.sub(add, QUOTED.sub(add, text))


def with_folder(command: str, results: str) -> str:
    """Return a command that names the results folder; an empty one needs no name."""
    if not results or " --results" in command:
        return command
    return f"{command} --results {shlex.quote(results)}"


def named_folder(words: Sequence[str]) -> str:
    """Return the results folder that the words of a command line name, empty where they name none."""
    folder = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, has_value, value = word.partition("=")
        if option == "--results":
            folder = value if has_value else following
    return folder
