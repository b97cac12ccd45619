from __future__ import annotations

import shutil

from tests.cli.conftest import MakeArena


def test_what_is_here_already_is_said_and_left_alone(make_arena: MakeArena) -> None:
    arena = make_arena()
    process = arena.run("pull", "--profile", "toys", "--model", "toy")
    assert process.stdout == ""
    assert process.stderr.count("toy: was here already") == 1


def test_what_cannot_be_had_is_listed_at_the_end_with_3(make_arena: MakeArena) -> None:
    arena = make_arena()
    shutil.rmtree(arena.home / "weights")
    process = arena.run("pull", "--model", "toy", code=3)
    assert "These are the terms." in process.stderr
    assert "error: " in process.stderr.splitlines()[-2]
    assert "hint: " in process.stderr.splitlines()[-1]
