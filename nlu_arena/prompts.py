"""An example and a task become prompt text: pure strings, no tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlu_arena.spec import Example, PromptStyle, TaskSpec

# Inputs without content, whose scores show what a prompt prefers before it has read anything
# (Zhao et al. 2021, "Calibrate Before Use", arXiv 2102.09690).
CONTENT_FREE = ("N/A", "", "[MASK]")


class Turn(NamedTuple):
    """One turn of a conversation; role is "user" or "assistant"."""

    role: str
    text: str


def label_word(task: TaskSpec, label: int) -> str:
    """Return the word that answers a label."""
    return task.prompt.words[task.labels[label]]


def label_continuations(task: TaskSpec, style: PromptStyle) -> list[str]:
    """Return, for each label id, the text that follows the prompt.

    A plain prompt ends with its cue, so the word brings the space; an assistant turn starts at the word.
    """
    space = " " if style == "plain" else ""
    return [space + label_word(task, label) for label in range(len(task.labels))]


def content_free_examples(task: TaskSpec) -> list[Example]:
    """Return the content-free inputs of a task; their label is meaningless."""
    return [Example(text=text, label=0, pair=text if task.is_pair else None) for text in CONTENT_FREE]


def show_example(task: TaskSpec, example: Example) -> str:
    """Return one question: the example in the task's template, then the cue."""
    # Replaced one by one: a brace in a text is text, never a format field.
    parts = task.prompt.template.split("{text}")
    pair = example.pair or ""
    body = example.text.join(part.replace("{pair}", pair) for part in parts)
    return f"{body}\n{task.prompt.cue}"


def plain_prompt(task: TaskSpec, shots: Sequence[Example], example: Example) -> str:
    """Return the prompt for a base model: instruction, answered examples, the question."""
    answered = [f"{show_example(task, shot)} {label_word(task, shot.label)}" for shot in shots]
    return "\n\n".join([task.prompt.instruction, *answered, show_example(task, example)])


def chat_prompt(task: TaskSpec, shots: Sequence[Example], example: Example) -> list[Turn]:
    """Return the conversation for an instruct model: each answered example is a user and an assistant turn.

    The instruction opens the first user turn; there is no system turn of ours.
    """
    turns: list[Turn] = []
    for shot in shots:
        turns += [Turn("user", show_example(task, shot)), Turn("assistant", label_word(task, shot.label))]
    turns.append(Turn("user", show_example(task, example)))
    turns[0] = Turn("user", f"{task.prompt.instruction}\n\n{turns[0].text}")
    return turns
