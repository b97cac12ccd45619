"""`python -m nlu_arena` is the same as `nlu-arena`."""

from __future__ import annotations

from nlu_arena.cli.app import main

if __name__ == "__main__":
    main()
