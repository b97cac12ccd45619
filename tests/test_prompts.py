"""Prompts are pure strings: an example in its template, whatever the example says."""

from __future__ import annotations

import msgspec

from nlu_arena.prompts import (
    chat_prompt,
    content_free_examples,
    label_continuations,
    plain_prompt,
    show_example,
)
from nlu_arena.spec import Example, TaskSpec


def as_pairs(task: TaskSpec) -> TaskSpec:
    prompt = msgspec.structs.replace(task.prompt, template="Premise: {text}\nHypothesis: {pair}")
    return msgspec.structs.replace(task, prompt=prompt)


def test_braces_and_field_names_in_a_text_stay_text(opinion_task: TaskSpec) -> None:
    task = as_pairs(opinion_task)
    shown = show_example(task, Example(text="{pair} {0} {", label=0, pair="{text} }"))
    assert shown == "Premise: {pair} {0} {\nHypothesis: {text} }\nOpinion:"


def test_the_instruction_stands_once_at_the_start(opinion_task: TaskSpec) -> None:
    shots = [Example(text="one", label=0), Example(text="two", label=1)]
    plain = plain_prompt(opinion_task, shots, Example(text="three", label=0))
    assert plain.count(opinion_task.prompt.instruction) == 1
    assert plain.startswith(opinion_task.prompt.instruction)
    turns = chat_prompt(opinion_task, shots, Example(text="three", label=0))
    assert [turn.role for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert sum(opinion_task.prompt.instruction in turn.text for turn in turns) == 1


def test_no_prompt_ends_with_a_space_and_the_answer_brings_its_own(opinion_task: TaskSpec) -> None:
    assert not plain_prompt(opinion_task, [], Example(text="one", label=0)).endswith(" ")
    assert label_continuations(opinion_task, "plain") == [" negative", " positive"]
    assert label_continuations(opinion_task, "chat") == ["negative", "positive"]


def test_content_free_inputs_fill_both_texts_of_a_pair(opinion_task: TaskSpec) -> None:
    assert [(e.text, e.pair) for e in content_free_examples(opinion_task)] == [
        ("N/A", None),
        ("", None),
        ("[MASK]", None),
    ]
    pairs = content_free_examples(as_pairs(opinion_task))
    assert all(example.pair == example.text for example in pairs)
