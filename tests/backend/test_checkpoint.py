"""Checkpoints on the disk: whole or not there, and all of a training's state in them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nlu_arena.backend import checkpoint
from nlu_arena.backend.checkpoint import (
    RECORD,
    CheckpointFolder,
    Position,
    Snapshot,
    UnusableError,
    restore_snapshot,
    take_snapshot,
)
from nlu_arena.backend.device import seed_everything

SAME = {"device": "here"}


def snapshot(steps: int) -> Snapshot:
    return Snapshot(
        Position(micro_batch=8, losses=[0.1] * steps, held_out=[0.5]), {"model/w": torch.tensor([steps])}
    )


def test_the_newest_checkpoint_is_read_and_the_one_before_is_gone(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "checkpoint", SAME)
    assert folder.read() is None
    for steps in (3, 7):
        folder.write(snapshot(steps))
    found = folder.read()
    assert found is not None
    assert found.position == snapshot(7).position
    assert found.tensors["model/w"].tolist() == [7]
    assert sorted(path.name for path in folder.folder.iterdir()) == [RECORD, "step_00000007.safetensors"]


@pytest.mark.parametrize("step", ["_save", "_hash", "_write_durably"])
def test_a_checkpoint_that_breaks_off_leaves_the_one_before(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = CheckpointFolder(tmp_path / "checkpoint", SAME)
    folder.write(snapshot(3))

    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, step, break_off)
        with pytest.raises(KeyboardInterrupt):
            folder.write(snapshot(7))
    found = folder.read()
    assert found is not None
    assert len(found.position.losses) == 3
    folder.write(snapshot(9))
    assert sorted(path.name for path in folder.folder.iterdir()) == [RECORD, "step_00000009.safetensors"]


def test_other_circumstances_make_a_checkpoint_unusable(tmp_path: Path) -> None:
    CheckpointFolder(tmp_path, SAME).write(snapshot(3))
    with pytest.raises(UnusableError, match="its device is 'here', here it is 'there'"):
        CheckpointFolder(tmp_path, {"device": "there"}).read()


def test_setting_aside_keeps_the_newest_unusable_one(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "checkpoint", SAME)
    for steps in (3, 7):
        folder.write(snapshot(steps))
        aside = folder.set_aside("aside")
    assert [path.name for path in tmp_path.iterdir()] == ["aside"]
    assert (aside / "step_00000007.safetensors").is_file()


def test_weights_optimiser_and_random_numbers_go_on_as_they_would_have() -> None:
    def build() -> tuple[nn.Module, torch.optim.AdamW]:
        seed_everything(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        model[0].bias.requires_grad_(False)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        return model, torch.optim.AdamW(weights, lr=0.1, fused=True)

    def step(model: nn.Module, optimizer: torch.optim.AdamW) -> float:
        optimizer.zero_grad()
        inputs = torch.tensor([[random.random(), np.random.rand(), np.random.standard_normal(), 1.0]])
        loss = model(inputs).square().sum()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    model, optimizer = build()
    for _ in range(3):
        step(model, optimizer)
    best = {"0.weight": torch.ones(8, 4)}
    taken = take_snapshot(Position(micro_batch=1), model, optimizer, best)
    kept = Snapshot(taken.position, {name: tensor.clone() for name, tensor in taken.tensors.items()})
    rest = [step(model, optimizer) for _ in range(3)]
    other, its_optimizer = build()
    assert restore_snapshot(kept, other, its_optimizer).keys() == best.keys()
    assert [step(other, its_optimizer) for _ in range(3)] == rest
    assert "model/0.bias" not in kept.tensors, "what is not trained is in the weights it began from"
