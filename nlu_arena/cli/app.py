"""The command line: its commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Literal

import typer

from nlu_arena.cli.compare import compare
from nlu_arena.cli.doctor import doctor
from nlu_arena.cli.errors import errors
from nlu_arena.cli.listing import list_registry
from nlu_arena.cli.new import new
from nlu_arena.cli.predict import predict
from nlu_arena.cli.pull import pull
from nlu_arena.cli.recommend import recommend
from nlu_arena.cli.report import report
from nlu_arena.cli.run import run
from nlu_arena.cli.status import status
from nlu_arena.cli.sweep import sweep
from nlu_arena.cli.terminal import narrate, prepare_streams, show_error
from nlu_arena.cli.tui import tui
from nlu_arena.errors import ArenaError, ExitCode
from nlu_arena.views.commands import name_folder, named_folder

EXIT_CODES = (
    "Exit codes: 0 ok, 1 the work failed, 2 wrong usage, 3 cannot start (weights, data, disk, another sweep),"
    " 4 nothing to show, 8 pending (status --exit-status), 130 stopped by Ctrl-C, 143 stopped by a signal."
)


def main() -> None:
    """Run the command that the arguments name; ends the process."""
    prepare_streams()
    try:
        build_app(_help_style())(prog_name="nlu-arena")
    except ArenaError as error:
        error.hint = name_folder(error.hint, named_folder(sys.argv[1:]))
        show_error(error)
        sys.exit(error.exit_code)
    except Exception:
        traceback.print_exc()
        narrate("error: this is a fault in nlu-arena, not in what you asked for; the lines above say where.")
        narrate("hint: A sweep keeps all it has done: see the newest benchmark_*.log in the results folder.")
        sys.exit(ExitCode.FAILED)


def build_app(style: Literal["rich"] | None) -> typer.Typer:
    """Return the command line with help in the given style."""
    app = typer.Typer(
        name="nlu-arena",
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=style,
        pretty_exceptions_enable=False,
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_arena)
    app.command("sweep", epilog=EXIT_CODES)(sweep)
    app.command("run", epilog=EXIT_CODES)(run)
    app.command("status", epilog=EXIT_CODES)(status)
    app.command("compare", epilog=EXIT_CODES)(compare)
    app.command("errors", epilog=EXIT_CODES)(errors)
    app.command("recommend", epilog=EXIT_CODES)(recommend)
    app.command("report", epilog=EXIT_CODES)(report)
    app.command("list", epilog=EXIT_CODES)(list_registry)
    app.command("tui", epilog=EXIT_CODES)(tui)
    app.command("predict", epilog=EXIT_CODES)(predict)
    app.command("pull", epilog=EXIT_CODES)(pull)
    app.command("doctor", epilog=EXIT_CODES)(doctor)
    app.command("new", epilog=EXIT_CODES)(new)
    return app


def _help_style() -> Literal["rich"] | None:
    """Choose boxes for help on a terminal only: errors are plain lines, and pipes get no escapes."""
    asks_for_help = len(sys.argv) == 1 or bool({"-h", "--help"} & set(sys.argv))
    return "rich" if asks_for_help and sys.stdout.isatty() else None


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"nlu-arena {version('nlu-arena')}")
        raise typer.Exit


def _arena(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Which model, used how, is best for short-text classification, and what does it cost?

    Start with `nlu-arena sweep --profile quick`, then look at `nlu-arena status`.
    """
