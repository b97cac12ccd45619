"""What a worker keeps between experiments, and does once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nlu_arena.backend.weights import load_causal_model
from nlu_arena.errors import RunError
from nlu_arena.modes import context
from nlu_arena.modes.context import Session
from tests.modes.runs import MakeCell, do


def test_a_decoders_own_logits_are_compared_once_for_a_stretch(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[list[int]] = []
    monkeypatch.setattr(context, "check_label_logits", lambda model, row: compared.append(row))
    session = Session(torch.device("cpu"))
    # LoRA loads the decoder twice, the first time as it was left by the run before.
    for number, cell in enumerate(["decoder zero-shot", "decoder few-shot", "decoder lora"]):
        do(make_cell(cell), tmp_path / f"run{number}", session)
    assert len(compared) == 1
    do(make_cell("decoder lora"), tmp_path / "alone")
    assert len(compared) == 2, "another worker compares anew"


@pytest.mark.parametrize("cell", ["decoder zero-shot", "decoder lora"])
def test_a_decoder_with_other_logits_is_refused_by_every_run(
    cell: str, make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_scaled(*arguments: object) -> object:
        model = load_causal_model(*arguments)  # type: ignore[arg-type]
        model.lm_head.register_forward_hook(lambda _module, _inputs, logits: logits * 0.5)
        return model

    monkeypatch.setattr(context, "load_causal_model", load_scaled)
    session = Session(torch.device("cpu"))
    for number in range(2):
        with pytest.raises(RunError, match="not supported"):
            do(make_cell(cell), tmp_path / f"run{number}", session)
