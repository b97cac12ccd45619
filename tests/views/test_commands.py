from __future__ import annotations

import pytest

from nlu_arena.views.commands import name_folder, named_folder


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`nlu-arena status` says why.", "`nlu-arena status --results 'my runs'` says why."),
        (
            "One: `nlu-arena run --model x`, or `nlu-arena sweep`.",
            "One: `nlu-arena run --model x --results 'my runs'`, or `nlu-arena sweep --results 'my runs'`.",
        ),
        ("Begin with: nlu-arena sweep", "Begin with: nlu-arena sweep --results 'my runs'"),
        ("`nlu-arena sweep --results other` goes on.", "`nlu-arena sweep --results other` goes on."),
        ("`nlu-arena list tasks` shows them all.", "`nlu-arena list tasks` shows them all."),
        ("Upgrade nlu-arena, or use another folder.", "Upgrade nlu-arena, or use another folder."),
    ],
)
def test_commands_name_the_folder_where_it_matters_and_is_not_named(text: str, told: str) -> None:
    assert name_folder(text, "my runs") == told
    assert name_folder(text, "") == text


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("compare --results there --json", "there"),
        ("--results=there compare", "there"),
        ("compare --results a --results b", "b"),
        ("compare --json", ""),
        ("compare --results", ""),
    ],
)
def test_the_folder_is_the_last_one_that_the_command_line_names(line: str, folder: str) -> None:
    assert named_folder(line.split()) == folder
