"""LoRA through the prompt: an adapter trained on the very scores that answer (a head: see finetune)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from nlu_arena.backend.adapter import adapted, adapter_dtype, save_adapter
from nlu_arena.backend.encode import PromptEncoder
from nlu_arena.backend.train import TrainingRows
from nlu_arena.backend.weights import count_parameters
from nlu_arena.modes import finetune
from nlu_arena.modes.answering import context_length, trained_decoder
from nlu_arena.modes.context import RunContext
from nlu_arena.modes.gates import measure_supervision
from nlu_arena.modes.labeller import label_with_prompt
from nlu_arena.modes.prompting import PromptedTask, build_scorer, evaluate_prompts, prepare_prompts
from nlu_arena.modes.proof import prove
from nlu_arena.modes.training import check_saved, repeat_report, train, train_settings
from nlu_arena.spec import LoraSettings

# On so many rows it is tried which tokens the loss looks at.
PROBED_ROWS = 4


def run(context: RunContext) -> None:
    """Do a LoRA experiment: through the label words, or with a classification head.

    What is scored is always the saved adapter on a base built anew.
    """
    settings, experiment = train_settings(context), context.experiment
    if settings.lora is None or not experiment.uses_label_words:
        finetune.run(context)
        return
    weights = (experiment.model, context.weights_dir, experiment.precision)
    with context.phase("load"):
        tokenizer = context.session.tokenizer(context.weights_dir)
        longest = context_length(context.session.causal_model(*weights))
    with context.phase("prepare"):
        prompted = prepare_prompts(context, tokenizer, longest)
        # Also when there is nothing left to train: the rows decide the prefix, and with it the batches.
        rows = _training_rows(context, prompted, min(settings.max_length, longest))
    if context.best_model.is_dir():
        repeat_report(context)
    else:
        _train(context, prompted, rows, settings.lora)
        context.session.forget_causal_model()
    _evaluate(context, prompted, rows)


def _training_rows(context: RunContext, prompted: PromptedTask, longest: int) -> TrainingRows:
    """Encode the training prompts, their texts shortened to the training's own length."""
    tokenizer, experiment = prompted.encoder.tokenizer, context.experiment
    encoder = PromptEncoder(tokenizer, experiment.task, experiment.model.prompt_style, longest)
    encoded = encoder.encode([], prompted.data.train)
    gold = [example.label for example in prompted.data.train]
    context.facts(train_shortened=encoded.shortened)
    return TrainingRows(encoded.rows, gold, [len(row) for row in encoded.rows])


def _train(context: RunContext, prompted: PromptedTask, rows: TrainingRows, lora: LoraSettings) -> None:
    """Train a new adapter; at the end nothing is held of it but what was saved."""
    experiment = context.experiment
    model = context.session.causal_model(experiment.model, context.weights_dir, experiment.precision)
    with adapted(model, lora, experiment.seed) as wrapped:
        scorer = build_scorer(context, model, prompted, rows.rows)

        def save(folder: Path) -> None:
            save_adapter(wrapped, experiment.model.weights, folder)
            prompted.encoder.tokenizer.save_pretrained(folder)

        labeller = label_with_prompt(scorer, prompted.encoder, prompted.shots)
        probed = measure_supervision(scorer, rows.rows, rows.gold, PROBED_ROWS)
        train(
            context,
            scorer,
            rows,
            save,
            prove=lambda: prove(labeller, prompted.first_split),
            facts={**count_parameters(model), "adapter_dtype": adapter_dtype(model), **probed},
        )


def _evaluate(context: RunContext, prompted: PromptedTask, rows: TrainingRows) -> None:
    """Put the saved adapter on, demand the answers that it was saved with, and answer all prompts."""
    experiment = context.experiment
    opened = trained_decoder(context.session, experiment, context.weights_dir, context.best_model)
    with ExitStack() as stack:
        with context.phase("load"):
            model = stack.enter_context(opened)
            scorer = build_scorer(context, model, prompted, rows.rows)
            labeller = label_with_prompt(scorer, prompted.encoder, prompted.shots)
            check_saved(context, labeller)
        evaluate_prompts(context, prompted, scorer, "adapter unmerged")
