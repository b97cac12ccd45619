from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nlu_arena.ledger.store import Store
from nlu_arena.tui.keyline import KeyLine
from tests.tui.screen import screen_lines
from tests.tui.stand import press, settle, stand, write


@pytest.fixture(autouse=True)
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    store = write(state=None, keep_open=True)
    yield store
    store.close()


async def test_it_shows_the_keys_of_the_view_that_is_seen() -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        assert screen_lines(app)[-1].split("  ")[:3] == [" q Quit", "? Help", "↵ Run"]
        await press(pilot, "2")
        line = screen_lines(app)[-1]
        assert "esc Back" in line and "Mark" not in line


@pytest.mark.parametrize("width", range(60, 90, 3))
async def test_no_key_is_cut(width: int) -> None:
    whole = "q Quit  ? Help  ↵ Run  m Mode  v Value  space Mark  c Compare  e Errors  / Filter  1-5 Views"
    async with stand((width, 20)) as pilot:
        line = screen_lines(await settle(pilot))[-1].strip()
        assert whole.startswith(line) and whole[len(line) : len(line) + 2] in ("  ", "")


async def test_a_click_presses_the_key() -> None:
    async with stand() as pilot:
        app = await settle(pilot)
        column = screen_lines(app)[-1].index("c Compare")
        await pilot.click(KeyLine, offset=(column + 4, 0))
        await settle(pilot)
        assert app.view is not None and app.view.id == "compare"


async def test_in_ascii_keys_have_names_of_letters() -> None:
    async with stand(ascii=True) as pilot:
        assert "enter Run" in screen_lines(await settle(pilot))[-1]
