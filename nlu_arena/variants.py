"""The prompts that a task can be asked with: its own, the variants of its manifest, a literal template."""

from __future__ import annotations

import re

import msgspec

from nlu_arena.errors import UsageError
from nlu_arena.naming import suggest
from nlu_arena.spec import PromptSpec, PromptVariant, TaskSpec

# The name of a task's own prompt.
DEFAULT = "default"
PLACE = re.compile(r"\{(\w+)\}")


def find_prompt(task: TaskSpec, template: str, where: str) -> PromptSpec:
    """Return the prompt that a template stands for.

    Args:
        task: Whose manifest has the variants.
        template: "default" (the task's own prompt), the name of a variant, or a text with {text} (and {pair})
            that takes the place of the template alone.
        where: What an error message begins with.

    Raises:
        UsageError: There is no such variant, or the text does not show the examples of the task.
    """
    if "{" in template:
        place = f"{where}: the template {template!r}"
        check_template(template, place)
        check_places(template, task.is_pair, place)
        return msgspec.structs.replace(task.prompt, template=template)
    name = template.lower()
    if name == DEFAULT:
        return task.prompt
    if name not in task.templates:
        raise UsageError(
            f"{where}: the task {task.name} has no template {template!r}",
            f"{suggest(name, list_templates(task))} A text with {{text}} is a template, too.",
        )
    return apply_variant(task.prompt, task.templates[name])


def list_templates(task: TaskSpec) -> list[str]:
    """Return the names of a task's prompts, that of its own first."""
    return [DEFAULT, *task.templates]


def has_prompt(task: TaskSpec, template: str) -> bool:
    """Say whether a template stands for a prompt of the task."""
    try:
        find_prompt(task, template, "")
    except UsageError:
        return False
    return True


def name_template(template: str) -> str:
    """Return what an experiment calls its template: empty for the task's own, a literal text as it is."""
    name = template if "{" in template else template.lower()
    return "" if name == DEFAULT else name


def apply_variant(prompt: PromptSpec, variant: PromptVariant) -> PromptSpec:
    """Return a prompt with what a variant says in place of its own."""
    said = msgspec.structs.asdict(variant)
    return msgspec.structs.replace(prompt, **{name: text for name, text in said.items() if text is not None})


def check_template(template: str, where: str) -> None:
    """Demand that a template shows the text, and nothing that no example has.

    Raises:
        UsageError: It does not; the message begins with `where`.
    """
    places = PLACE.findall(template)
    for place in places:
        if place not in ("text", "pair"):
            raise UsageError(f"{where} has the unknown place {{{place}}}", "Valid here: {text}, {pair}.")
    if "text" not in places:
        raise UsageError(f"{where} has no {{text}}", "It says where the example's text goes.")


def check_places(template: str, is_pair: bool, where: str) -> None:
    """Demand that another template shows as many texts of an example as the task's own.

    Raises:
        UsageError: It does not; the message begins with `where`.
    """
    if is_pair and "{pair}" not in template:
        raise UsageError(f"{where} has no {{pair}}", "The task's examples are pairs: show both texts.")
    if not is_pair and "{pair}" in template:
        raise UsageError(f"{where} has a {{pair}}", "The task's examples are single texts.")
