"""The settings of training: everything that changes the trained weights."""

from __future__ import annotations

from typing import Any

from nlu_arena.spec.base import LoraHead, Spec


class LoraSettings(Spec, frozen=True):
    """The adapter of LoRA training (Hu et al. 2021): W + alpha / rank * B A on every linear layer."""

    rank: int = 16
    alpha: int = 32
    # None by default: in the one epoch that is usual, no row is seen twice.
    dropout: float = 0.0
    head: LoraHead = "label-words"

    def __post_init__(self) -> None:
        """Refuse an adapter that cannot learn."""
        if self.rank < 1 or self.alpha < 1:
            raise ValueError(f"lora.rank and lora.alpha must be above 0, not {self.rank} and {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"lora.dropout must be from 0 to below 1, not {self.dropout}")


class TrainSettings(Spec, frozen=True):
    """Everything about training that changes the trained weights.

    `warmup` is a share of all steps, `held_out` a share of the training rows: with 0 the last epoch is
    kept, otherwise the epoch with the best accuracy on that share. `max_length` bounds the tokens of a
    training row; with a classification head those of every row.
    """

    epochs: int = 3
    lr: float = 2e-5
    batch_size: int = 32
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    max_length: int = 128
    held_out: float = 0.0
    lora: LoraSettings | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot train: a warm-up longer than the training never reaches its rate."""
        positive = {"epochs": self.epochs, "lr": self.lr, "batch_size": self.batch_size, "clip": self.clip}
        for name, value in positive.items():
            if not 0 < value < float("inf"):
                raise ValueError(f"train.{name} must be above 0, not {value}")
        if self.max_length < 8:
            raise ValueError(f"train.max_length must be at least 8 tokens, not {self.max_length}")
        if not 0 <= self.warmup < 0.3:
            raise ValueError(f"train.warmup is a share of the steps, from 0 to below 0.3, not {self.warmup}")
        if not 0 <= self.held_out <= 0.5:
            raise ValueError(f"train.held_out is a share of train, from 0 to 0.5, not {self.held_out}")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"train.weight_decay must not be below 0, not {self.weight_decay}")


# What a manifest changes in TrainSettings in one mode. A model's may hold a table `tasks`: what it
# changes on one task alone.
TrainOverrides = dict[str, Any]
