"""LoRA through the prompt: an adapter trained on the very scores that answer (a head: see finetune)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlu_arena.backend.adapter import adapted, adapter_dtype, restored, save_adapter
from nlu_arena.backend.encode import PromptEncoder
from nlu_arena.backend.train import Trainer, TrainingRows
from nlu_arena.backend.weights import count_parameters
from nlu_arena.modes import finetune
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.prompting import PromptedTask, evaluate_prompts, prepare_prompts


def run(context: RunContext) -> None:
    """Do a LoRA experiment: through the label words, or with a classification head."""
    settings = finetune.train_settings(context)
    experiment = context.experiment
    if settings.lora is None or not experiment.uses_label_words:
        finetune.run(context)
        return
    trained = context.best_model.is_dir()
    with context.phase("load"):
        tokenizer = context.session.tokenizer(context.weights_dir)
        model = context.session.causal_model(experiment.model, context.weights_dir, experiment.precision)
    wrapper: Any = (
        restored(model, context.best_model) if trained else adapted(model, settings.lora, experiment.seed)
    )
    with wrapper as wrapped:
        with context.phase("prepare"):
            prompted = prepare_prompts(context, model, tokenizer)
            context.facts(**count_parameters(model), adapter_dtype=adapter_dtype(model))
            # Also when there is nothing left to train: the rows decide the prefix, and with it the batches.
            rows = _training_rows(context, prompted, settings.max_length)
        if not trained:

            def save(folder: Path) -> None:
                save_adapter(wrapped, experiment.model.weights, folder)
                tokenizer.save_pretrained(folder)

            finetune.train(context, Trainer(prompted.scorer, settings, experiment.seed), rows, save)
        evaluate_prompts(context, prompted, "adapter unmerged")


def _training_rows(context: RunContext, prompted: PromptedTask, max_length: int) -> TrainingRows:
    """Encode the training prompts; what they share with the dev prompts is the prefix of both."""
    whole, experiment = prompted.encoder, context.experiment
    longest = min(max_length, whole.max_tokens)
    encoder = PromptEncoder(whole.tokenizer, experiment.task, experiment.model.prompt_style, longest)
    encoded = encoder.encode([], prompted.data.train)
    context.facts(train_shortened=encoded.shortened)
    dev = [row for split in prompted.splits for row in split.rows]
    prompted.scorer.share_prefix(encoded.rows + dev + prompted.content_free)
    gold = [example.label for example in prompted.data.train]
    return TrainingRows(encoded.rows, gold, [len(row) for row in encoded.rows])
