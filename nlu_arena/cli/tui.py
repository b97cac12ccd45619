"""`nlu-arena tui`: the live screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlu_arena.cli.options import Results
from nlu_arena.cli.terminal import is_screen, narrate
from nlu_arena.errors import CannotStartError

if TYPE_CHECKING:
    from nlu_arena.tui.starting import Started


def tui(
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep",
            metavar="N|PROFILE",
            help="Show this sweep, or start one with this profile: a process of its own, which goes on when"
            " the screen is closed. (default: the last sweep)",
            show_default=False,
        ),
    ] = None,
    ascii: Annotated[bool, typer.Option("--ascii", help="No signs beyond ASCII.")] = False,
    no_mouse: Annotated[
        bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal, which can select text then.")
    ] = False,
    results: Results = None,
) -> None:
    """Watch a sweep as it happens.

    The screen follows a sweep whoever started it, and only reads: closing it leaves it running.
    The key ? shows all keys.
    """
    _refuse_without_screen()
    from nlu_arena.tui.interpreter import hurry

    hurry()
    from nlu_arena.paths import ledger_path, results_dir
    from nlu_arena.tui.app import ArenaApp

    ledger = ledger_path(results_dir(results))
    number = int(sweep) if sweep is not None and sweep.isdecimal() else None
    app = ArenaApp(
        ledger,
        sweep=number,
        ascii=ascii,
        # https://no-color.org: an empty value counts as none.
        no_color=bool(os.environ.get("NO_COLOR")),
        started=_start(sweep, ledger.parent) if sweep is not None and number is None else None,
    )
    app.run(mouse=not no_mouse)
    for line in app.farewell():
        narrate(line)
    if app.return_code:
        raise typer.Exit(app.return_code)


def _start(profile: str, results: Path) -> Started:
    from nlu_arena.profile import load_profile
    from nlu_arena.tui.starting import start_sweep, with_results

    # A profile that does not exist is said here, where it can be read, and not in the sweep's own output.
    load_profile(profile)
    return start_sweep(with_results(["sweep", "--profile", profile], results), results)


def _refuse_without_screen() -> None:
    # A screen without a keyboard cannot be left, and Textual would spin on an input that has ended.
    if not (sys.stdin and sys.stdin.isatty() and is_screen(sys.stdout) and is_screen(sys.stderr)):
        raise CannotStartError(
            "the live screen needs a terminal for its input and its output",
            "In a pipe or a plain terminal use: nlu-arena status --watch",
        )
