"""A task is asked with its own prompt, with a variant of its manifest, or with a literal template."""

from __future__ import annotations

import msgspec
import pytest

from nlu_arena.errors import UsageError
from nlu_arena.registry import load_registry
from nlu_arena.spec import PromptVariant, TaskSpec
from nlu_arena.variants import find_prompt, has_prompt, list_templates, name_template


@pytest.fixture
def task(opinion_task: TaskSpec) -> TaskSpec:
    variants = {
        "question": PromptVariant(
            template="{text}\nGood or bad?", words={"negative": "bad", "positive": "good"}
        )
    }
    return msgspec.structs.replace(opinion_task, templates=variants)


def refuse(task: TaskSpec, template: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        find_prompt(task, template, "here")
    assert caught.value.message.startswith("here")
    assert not has_prompt(task, template)
    return caught.value


@pytest.mark.parametrize("name", ["default", "Default"])
def test_default_is_the_tasks_own_prompt_and_has_no_name_in_tables(task: TaskSpec, name: str) -> None:
    assert find_prompt(task, name, "here") == task.prompt
    assert name_template(name) == ""


def test_a_variant_says_something_over_the_prompt_and_leaves_the_rest(task: TaskSpec) -> None:
    prompt = find_prompt(task, "Question", "here")
    assert (prompt.template, prompt.words["positive"]) == ("{text}\nGood or bad?", "good")
    assert (prompt.instruction, prompt.cue) == (task.prompt.instruction, task.prompt.cue)
    assert name_template("Question") == "question"


def test_a_text_with_a_place_for_the_example_is_a_template_itself(task: TaskSpec) -> None:
    literal = "Critic: {text}"
    assert find_prompt(task, literal, "here") == msgspec.structs.replace(task.prompt, template=literal)
    assert name_template(literal) == literal


def test_an_unknown_name_gets_those_that_there_are(task: TaskSpec) -> None:
    error = refuse(task, "questoin")
    assert "the task opinions has no template 'questoin'" in error.message
    assert "Did you mean question?" in error.hint
    assert "Valid here: default, question." in refuse(task, "xyz").hint


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{txt}", "the unknown place {txt}"),
        ("{text} {label}", "the unknown place {label}"),
        ("{pair}", "no {text}"),
        ("{text} {pair}", "a {pair}"),
    ],
)
def test_a_literal_template_must_show_the_texts_of_the_task(task: TaskSpec, template: str, said: str) -> None:
    assert f"here: the template {template!r} has {said}" in refuse(task, template).message


def test_a_template_for_pairs_must_show_both_texts() -> None:
    assert "no {pair}" in refuse(load_registry().task("rte"), "Text: {text}").message


def test_every_task_has_three_wordings_with_the_same_names() -> None:
    for task in load_registry().tasks.values():
        assert list_templates(task) == ["default", "question", "plain"]
        prompts = [find_prompt(task, name, "") for name in list_templates(task)]
        assert len({prompt.template for prompt in prompts}) == 3
        assert len({prompt.instruction for prompt in prompts}) == 3
        # What keeps fragments out of the examples is no matter of wording.
        assert len({prompt.shot_min_words for prompt in prompts}) == 1


def test_no_wording_has_spaces_at_its_ends_and_every_variant_says_all_its_words() -> None:
    for task in load_registry().tasks.values():
        for prompt in (find_prompt(task, name, "") for name in list_templates(task)):
            texts = [prompt.instruction, prompt.template, prompt.cue, *prompt.words.values()]
            assert texts == [text.strip() for text in texts]
            # Whoever is asked has been told every answer, in the instruction or each time.
            asked = f"{prompt.instruction} {prompt.template}"
            assert all(word in asked for word in prompt.words.values())
