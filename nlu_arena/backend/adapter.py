"""LoRA adapters (Hu et al. 2021, arXiv 2106.09685): put on, read, saved, and taken off without a trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peft
import torch
from transformers import PreTrainedModel

from nlu_arena.backend.device import seed_everything
from nlu_arena.backend.low_rank import quicken
from nlu_arena.spec import HubWeights, LoraSettings, Weights


def lora_config(settings: LoraSettings, new_weights: Sequence[str]) -> peft.LoraConfig:
    """Return PEFT's configuration for an adapter on all linear layers.

    Args:
        settings: Rank, alpha, dropout and head.
        new_weights: Weights the checkpoint did not have: their modules are trained and saved whole, or they
            would stay random for ever.
    """
    modules = sorted({name.rsplit(".", 1)[0] for name in new_weights})
    classifier = settings.head == "classifier"
    return peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        modules_to_save=modules or None,
        task_type=peft.TaskType.SEQ_CLS if classifier else peft.TaskType.CAUSAL_LM,
    )


@contextmanager
def adapted(
    model: PreTrainedModel, settings: LoraSettings, seed: int, new_weights: Sequence[str] = ()
) -> Iterator[peft.PeftModel]:
    """Put a new, seeded adapter on a model and take it off again at the end: the base is as it was."""
    seed_everything(seed)
    # Adapters are float32 whatever the base is: PEFT casts them when the base is bfloat16.
    wrapped = peft.get_peft_model(model, lora_config(settings, new_weights), autocast_adapter_dtype=True)
    quicken(wrapped)
    wrapped.eval()
    try:
        yield wrapped
    finally:
        # Also after a training that broke off: the next experiment finds a model without dropout.
        wrapped.unload().eval()


@contextmanager
def restored(model: PreTrainedModel, folder: Path) -> Iterator[peft.PeftModel]:
    """Put a saved adapter on a model and take it off again at the end."""
    # Trainable as it was, so that a continued run counts the same weights.
    wrapped = peft.PeftModel.from_pretrained(model, folder, is_trainable=True, autocast_adapter_dtype=True)
    quicken(wrapped)
    wrapped.eval()
    try:
        yield wrapped
    finally:
        wrapped.unload()


def save_adapter(wrapped: peft.PeftModel, weights: Weights, folder: Path) -> None:
    """Save the adapter alone; its configuration names the base by repository where it has one."""
    config = wrapped.peft_config["default"]
    if isinstance(weights, HubWeights):
        config.base_model_name_or_path, config.revision = weights.repo, weights.revision
    wrapped.save_pretrained(folder)


def adapter_dtype(model: torch.nn.Module) -> str:
    """Return the type of the trainable weights, for the run's facts."""
    types = {str(w.dtype).removeprefix("torch.") for w in model.parameters() if w.requires_grad}
    return ", ".join(sorted(types))
