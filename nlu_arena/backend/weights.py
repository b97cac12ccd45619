"""Building models and tokenizers from a weights folder: safetensors, explicit types, nothing unexplained."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from nlu_arena.backend.device import torch_dtype
from nlu_arena.errors import RunError
from nlu_arena.spec import HubWeights, LocalWeights, ModelSpec, Precision, TaskSpec


class Classifier(NamedTuple):
    """A model with a classification head, and the names of the weights that its checkpoint did not have."""

    model: PreTrainedModel
    new_weights: tuple[str, ...]


def silence_libraries() -> None:
    """Keep the libraries' own progress bars and advice out of the log; their errors stay."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("torch").setLevel(logging.ERROR)
    # Deprecations inside the libraries are theirs to mend.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|peft")


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a weights folder, with a padding token.

    Raises:
        RunError: It has neither a padding token nor one that could stand for it.
    """
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if tokenizer.pad_token_id is None:
        # Rows are padded on the right and gathered at their last real token: which id pads cannot matter
        # to an answer, but the embedding must have it.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token_id is None:
        raise RunError(
            f"{folder}: the tokenizer has no token that can pad", "Name a pad_token in tokenizer_config.json."
        )
    return tokenizer


def hash_tokenizer(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash a tokenizer's rules: vocabulary, merges, special tokens, and the chat template."""
    rules = getattr(tokenizer, "backend_tokenizer", None)
    text = rules.to_str() if rules is not None else json.dumps(tokenizer.get_vocab(), sort_keys=True)
    return hashlib.sha256(f"{text}\n{tokenizer.chat_template or ''}".encode()).hexdigest()[:16]


def load_causal_model(
    spec: ModelSpec, folder: Path, precision: Precision, device: torch.device
) -> PreTrainedModel:
    """Load a decoder for prompting: its weights frozen and held in the precision, in evaluation mode.

    Raises:
        RunError: The checkpoint lacks weights of the model: they would be random.
    """
    options = _loading_options(spec, torch_dtype(precision))
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    missing = sorted(report["missing_keys"])
    if missing:
        raise RunError(
            f"{folder}: the checkpoint of {spec.name} lacks {len(missing)} weights, first {missing[0]}"
        )
    return _ready(model.requires_grad_(False), device)


def load_classifier(spec: ModelSpec, task: TaskSpec, folder: Path, device: torch.device) -> Classifier:
    """Load a model with a classification head in float32; a head that the checkpoint lacks is drawn anew.

    The type is passed explicitly: "auto" would train a float16 checkpoint in float16. The labels'
    names go into the configuration, so that a saved model carries them.

    Raises:
        RunError: The checkpoint has a head of this size for other labels, or for these in another order.
    """
    labels = dict(enumerate(task.labels))
    options = _loading_options(spec, torch.float32)
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(labels),
        id2label=labels,
        label2id={name: label for label, name in labels.items()},
        output_loading_info=True,
        # A head of another size belongs to another task.
        ignore_mismatched_sizes=True,
        **options,
    )
    resized = {name for name, *_ in report["mismatched_keys"]}
    new_weights = {*report["missing_keys"], *resized}
    head = {n for n, _ in model.named_parameters() if not n.startswith(f"{model.base_model_prefix}.")}
    if resized - head:
        name = min(resized - head)
        raise RunError(f"{folder}: {name} of {spec.name} has another shape than its configuration says")
    if head - new_weights:
        _check_head(spec, task, folder)
    if any(weight.dtype != torch.float32 for weight in model.parameters()):
        raise RunError(f"{spec.name} did not load in float32")
    return Classifier(_ready(model, device), tuple(sorted(new_weights)))


def _check_head(spec: ModelSpec, task: TaskSpec, folder: Path) -> None:
    """Demand that a checkpoint's head has the task's labels in its order: ids alone mean nothing."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    found = [str(config.id2label[label]) for label in sorted(config.id2label)]
    if [name.lower() for name in found] != [name.lower() for name in task.labels]:
        raise RunError(
            f"the head's labels are {', '.join(found)}, those of {task.name} are {', '.join(task.labels)}",
            f"Give {spec.name} a checkpoint without a head, or with one for these labels in this order.",
        )


def set_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Tell the model which id pads: a decoder's classification head looks for the last token before it."""
    model.config.pad_token_id = tokenizer.pad_token_id


def max_positions(model: PreTrainedModel) -> int | None:
    """Return how many tokens a model can read, None where its configuration does not say."""
    found: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return found


def count_parameters(model: torch.nn.Module) -> dict[str, int]:
    """Count all weights and those that training changes; tied weights count once."""
    weights = list(model.parameters())
    trainable = sum(weight.numel() for weight in weights if weight.requires_grad)
    return {"parameters": sum(weight.numel() for weight in weights), "trainable_parameters": trainable}


def _loading_options(spec: ModelSpec, dtype: torch.dtype) -> dict[str, Any]:
    weights = spec.weights
    pickle_allowed = isinstance(weights, HubWeights | LocalWeights) and weights.allow_pickle
    return {
        "dtype": dtype,
        "attn_implementation": spec.attention,
        "use_safetensors": None if pickle_allowed else True,
        "local_files_only": True,
        "trust_remote_code": False,
    }


def _ready(model: PreTrainedModel, device: torch.device) -> PreTrainedModel:
    model.to(device)
    model.eval()
    return model
