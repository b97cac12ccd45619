"""The other side of training: `transformers.Trainer` as run_glue is documented and tuned, and `peft` with it.

The hyperparameters are ours. "Documented" is run_glue's command line in the transformers README: every text
padded to 128 tokens, float32, the Trainer's default optimiser (from 5.23 on the fused AdamW). "Tuned" is what
one who cares switches on: padding to the longest of a batch, lengths grouped, fused AdamW, bfloat16 autocast.
Lengths are grouped in pools as large as of a whole data set: a sample's own would pad 1.2 to 1.35 times as
much as ours, where in the whole of SST-2 they pad 0.92 times, and in that of RTE as much.
LoRA trains the token loss of prompt and label, with the prompt's tokens masked, as instruction tuning does:
the base in bfloat16, adapters in float32. Ours reads the same prompts, and what they share once for a batch.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal
from unittest.mock import patch

import peft
import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    DataCollatorForSeq2Seq,
    DataCollatorWithPadding,
    PrinterCallback,
    TrainingArguments,
    default_data_collator,
    trainer_pt_utils,
)

from nlu_arena.backend.weights import load_tokenizer
from nlu_arena.spec import TrainSettings
from tests.benchmarks.speed.case import Case
from tests.benchmarks.speed.engine import TRAIN, WHOLE
from tests.benchmarks.speed.pairing import Spans
from tests.benchmarks.speed.prompt_texts import PromptTexts
from tests.benchmarks.trainer import Recipe, encode_theirs, load_theirs

Style = Literal["documented", "tuned"]
PADDED = 128
IGNORED = -100
# Batches that are grouped by length together, as the Trainer takes them from 6,400 rows on.
POOL_BATCHES = 50


def tune_classifier(case: Case, style: Style, device: torch.device) -> Spans:
    """Fine-tune from texts to dev labels, and return the seconds of all of it and of the training."""
    began = time.perf_counter()
    experiment, settings = case.experiment, _settings(case)
    recipe = Recipe(experiment.model, experiment.task, case.folder, settings, case.data)
    transformers.set_seed(experiment.seed)
    model, collator = load_theirs(recipe, case.folder), default_data_collator
    train, dev = encode_theirs(recipe, case.data.train), encode_theirs(recipe, case.dev)
    tokenizer = load_tokenizer(case.folder)
    if style == "documented":
        train, dev = (_pad(tokenizer, rows) for rows in (train, dev))
    else:
        collator = DataCollatorWithPadding(tokenizer)
    return _fit(model, train, dev, collator, settings, began, _switches(case, style, device))


def adapt_decoder(case: Case, prompts: PromptTexts, device: torch.device) -> Spans:
    """Train an adapter from texts to its saved weights; return the seconds in all and of the training."""
    began = time.perf_counter()
    experiment, settings = case.experiment, _settings(case)
    tokenizer = load_tokenizer(case.folder)
    transformers.set_seed(experiment.seed)
    rows = _mask(tokenizer, prompts)
    model = AutoModelForCausalLM.from_pretrained(case.folder, dtype=getattr(torch, experiment.precision))
    lora = settings.lora
    if lora is None:
        raise ValueError("an adapter needs its settings")
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type=peft.TaskType.CAUSAL_LM,
    )
    collator = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=IGNORED)
    wrapped = peft.get_peft_model(model, config)
    return _fit(wrapped, rows, [], collator, settings, began, _switches(case, "tuned", device))


def _settings(case: Case) -> TrainSettings:
    if case.experiment.train is None:
        raise ValueError("a training needs its settings")
    return case.experiment.train


def _switches(case: Case, style: Style, device: torch.device) -> dict[str, Any]:
    """Return the Trainer's options that are not its defaults."""
    options: dict[str, Any] = {"use_cpu": device.type == "cpu", "seed": case.experiment.seed}
    if style == "tuned":
        options |= {
            "train_sampling_strategy": "group_by_length",
            "optim": "adamw_torch_fused",
            "bf16": case.experiment.precision == "bfloat16",
        }
    return options


def _fit(
    model: Any,
    train: list[dict[str, Any]],
    dev: list[dict[str, Any]],
    collator: Any,
    settings: TrainSettings,
    began: float,
    switches: Mapping[str, Any],
) -> Spans:
    """Train, save, and answer the dev rows where there are some."""
    group = partial(trainer_pt_utils.get_length_grouped_indices, mega_batch_mult=POOL_BATCHES)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(trainer_pt_utils, "get_length_grouped_indices", group),
    ):
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=settings.batch_size,
            learning_rate=settings.lr,
            warmup_steps=settings.warmup,
            weight_decay=settings.weight_decay,
            max_grad_norm=settings.clip,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **switches,
        )
        trainer = transformers.Trainer(model, arguments, data_collator=collator, train_dataset=train)
        trainer.remove_callback(PrinterCallback)
        start = time.perf_counter()
        trainer.train()
        trained = time.perf_counter() - start
        trainer.save_model()
        if dev:
            trainer.predict(dev)
    return {WHOLE: time.perf_counter() - began, TRAIN: trained}


def _pad(tokenizer: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pad every row to the documented length."""
    padded = []
    for row in rows:
        label = row.pop("labels")
        padded.append({**tokenizer.pad(row, padding="max_length", max_length=PADDED), "labels": label})
    return padded


def _mask(tokenizer: Any, prompts: PromptTexts) -> list[dict[str, Any]]:
    """Tokenise prompts with their labels; the loss looks at the labels alone."""
    rows = []
    for text, prompt, gold in zip(prompts.train_texts, prompts.train_rows, prompts.gold, strict=True):
        # A chat template has written the special tokens already.
        ids = tokenizer(text + prompts.continuations[gold], add_special_tokens=False)["input_ids"]
        labels = [IGNORED] * len(prompt) + ids[len(prompt) :]
        rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    return rows
