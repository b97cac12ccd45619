"""A trained or prompted model built anew from the disk: to be scored by its run, or to label texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from transformers import PreTrainedModel

from nlu_arena.backend.adapter import restored
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.encode import PromptEncoder
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.weights import load_classifier, max_positions, set_padding
from nlu_arena.errors import RunError
from nlu_arena.modes.context import Session
from nlu_arena.modes.labeller import Labeller, label_with_head, label_with_prompt
from nlu_arena.modes.proof import check_alike
from nlu_arena.modes.record import read_record
from nlu_arena.paths import BEST_MODEL
from nlu_arena.prompts import content_free_examples
from nlu_arena.spec import Example, Experiment

# A model that does not say how much it can read is taken to read this much.
DEFAULT_CONTEXT = 2048


@contextmanager
def open_labeller(
    session: Session, experiment: Experiment, weights_dir: Path, folder: Path, shots: Sequence[Example]
) -> Iterator[Labeller]:
    """Build the model of a finished run, to label other texts with it.

    Args:
        session: What the worker has kept.
        experiment: What the run did.
        weights_dir: The weights that the run began from.
        folder: The run's folder, with the model that it trained where it did.
        shots: The examples that its prompts showed.

    Raises:
        RunError: The trained model is gone, or does not give the answers that it was saved with.
    """
    best_model, train = folder / BEST_MODEL, experiment.train
    if train is None:
        model = session.causal_model(experiment.model, weights_dir, experiment.precision)
        yield _label_with_decoder(session, experiment, weights_dir, model, shots)
        return
    if not best_model.is_dir():
        raise RunError(
            f"the model that the run trained is gone: {best_model}", "Train it again with --fresh."
        )
    with ExitStack() as stack:
        if experiment.uses_label_words:
            model = stack.enter_context(trained_decoder(session, experiment, weights_dir, best_model))
            labeller = _label_with_decoder(session, experiment, weights_dir, model, shots)
        else:
            head = stack.enter_context(trained_head(session, experiment, weights_dir, best_model))
            labeller = label_with_head(head, train.max_length)
        check_alike(labeller, read_record(best_model, experiment).proof)
        yield labeller


@contextmanager
def trained_head(
    session: Session, experiment: Experiment, weights_dir: Path, best_model: Path
) -> Iterator[ClassifierScorer]:
    """Build a trained model with a classification head anew: all of it, or the base below a saved adapter."""
    session.forget_causal_model()
    tokenizer = session.tokenizer(weights_dir)
    is_adapter = experiment.train is not None and experiment.train.lora is not None
    folder = weights_dir if is_adapter else best_model
    model = load_classifier(experiment.model, experiment.task, folder, session.device).model
    set_padding(model, tokenizer)
    with restored(model, best_model) if is_adapter else nullcontext():
        yield ClassifierScorer(model, tokenizer, experiment.precision)


@contextmanager
def trained_decoder(
    session: Session, experiment: Experiment, weights_dir: Path, best_model: Path
) -> Iterator[PreTrainedModel]:
    """Put the saved adapter on the decoder that the worker holds."""
    model = session.causal_model(experiment.model, weights_dir, experiment.precision)
    with restored(model, best_model):
        yield model


def context_length(model: PreTrainedModel) -> int:
    """Return how many tokens a prompt may have with its label."""
    return max_positions(model) or DEFAULT_CONTEXT


def _label_with_decoder(
    session: Session,
    experiment: Experiment,
    weights_dir: Path,
    model: PreTrainedModel,
    shots: Sequence[Example],
) -> Labeller:
    tokenizer, task = session.tokenizer(weights_dir), experiment.task
    encoder = PromptEncoder(tokenizer, task, experiment.model.prompt_style, context_length(model))
    # The label's tokens do not depend on the text: any will do to find them.
    prompts = encoder.encode(shots, content_free_examples(task))
    scorer = LabelScorer(model, prompts.labels, tokenizer.pad_token_id)
    scorer.share_prefix(prompts.rows)
    # As in the run: what this model answers wrongly when work is saved is left out here too.
    scorer.choose_ways(prompts.rows)
    return label_with_prompt(scorer, encoder, shots)
