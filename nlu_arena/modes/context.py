"""What a mode works with: its experiment, its device, and the ways to report and to be stopped."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.device import peak_memory, release_memory, reset_peak_memory
from nlu_arena.backend.vocabulary import check_label_logits
from nlu_arena.backend.weights import hash_tokenizer, load_causal_model, load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.events import (
    Artifact,
    Assign,
    Event,
    ExampleSet,
    Facts,
    Log,
    PhaseFinished,
    PhaseStarted,
    Progress,
)
from nlu_arena.paths import BEST_MODEL, CHECKPOINT
from nlu_arena.spec import Example, ModelSpec, Precision

PROGRESS_SECONDS = 0.2


class StopRequestedError(Exception):
    """The scheduler asked for a stop, and the run has reached a place where it can be continued."""


class DiskFullError(RunError):
    """The trained model could not be saved for lack of space."""


class Session:
    """What a worker keeps between consecutive experiments of one model: its weights are loaded once."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._tokenizers: dict[Path, PreTrainedTokenizerBase] = {}
        self._hashes: dict[Path, str] = {}
        self._causal: tuple[tuple[Path, Precision], PreTrainedModel] | None = None
        # The decoders whose own logits have been found to be those that are scored.
        self._checked: set[tuple[Path, Precision]] = set()

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerBase:
        """Return the tokenizer of a weights folder."""
        if folder not in self._tokenizers:
            self._tokenizers[folder] = load_tokenizer(folder)
        return self._tokenizers[folder]

    def tokenizer_hash(self, folder: Path) -> str:
        """Return a hash of all rules of a weights folder's tokenizer, as the library has read them.

        Another version of the library can make other tokens of the same files.
        """
        if folder not in self._hashes:
            self._hashes[folder] = hash_tokenizer(self.tokenizer(folder))
        return self._hashes[folder]

    def causal_model(self, spec: ModelSpec, folder: Path, precision: Precision) -> PreTrainedModel:
        """Return the decoder of a weights folder, loaded once for a stretch of experiments."""
        key = (folder, precision)
        if self._causal is None or self._causal[0] != key:
            self.forget_causal_model()
            self._causal = (key, load_causal_model(spec, folder, precision, self.device))
        return self._causal[1]

    def check_logits(self, row: Tokens) -> None:
        """Demand once of the decoder at hand that its own logits are those that are scored.

        What scales or caps them is the architecture's, whatever the prompt and whatever adapter it wears.

        Args:
            row: A prompt.

        Raises:
            RunError: They are others.
        """
        if self._causal is None:
            raise RuntimeError("no decoder is loaded")
        key, model = self._causal
        if key not in self._checked:
            check_label_logits(model, row)
            self._checked.add(key)

    def forget_causal_model(self) -> None:
        """Free the decoder, before another model takes its place."""
        self._causal = None
        release_memory(self.device)


class PhaseClock:
    """The time of a phase; `earlier` are the seconds that an interrupted attempt has worked on it already."""

    def __init__(self) -> None:
        self.earlier = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Return the seconds worked on the phase in all."""
        return self.earlier + time.perf_counter() - self._began


class RunContext:
    """One assignment on one device, with its line to the scheduler.

    Args:
        assignment: What to do.
        session: What the worker has kept from the experiments before.
        emit: Sends an event to the scheduler.
        stop: Set when the run is to end at the next batch.
    """

    def __init__(
        self, assignment: Assign, session: Session, emit: Callable[[Event], None], stop: threading.Event
    ) -> None:
        self.assignment = assignment
        self.experiment = assignment.experiment
        self.session = session
        self.device = session.device
        self.emit = emit
        self._stop = stop
        self._last_progress = 0.0

    @property
    def weights_dir(self) -> Path:
        """Return the folder of the model's weights."""
        return Path(self.assignment.weights_dir)

    @property
    def best_model(self) -> Path:
        """Return where the trained model is, once it is complete."""
        return Path(self.assignment.folder) / BEST_MODEL

    @property
    def checkpoint(self) -> Path:
        """Return where the checkpoint of an unfinished training is."""
        return Path(self.assignment.folder) / CHECKPOINT

    @property
    def is_stopping(self) -> bool:
        """Say whether a stop was asked for."""
        return self._stop.is_set()

    @contextmanager
    def phase(self, name: str) -> Iterator[PhaseClock]:
        """Time a part of the run and keep its memory peak apart from the others'."""
        self.check_stop()
        self.emit(PhaseStarted(phase=name))
        reset_peak_memory(self.device)
        clock = PhaseClock()
        yield clock
        self.emit(PhaseFinished(phase=name, seconds=clock.seconds))
        self.facts(memory={name: peak_memory(self.device)})

    def progress(self, phase: str, done: int, total: int) -> None:
        """Say how far a phase is, at most five times a second and always at its end."""
        now = time.monotonic()
        if done >= total or now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            self.emit(Progress(phase=phase, done=done, total=total))

    def facts(self, **facts: Any) -> None:
        """Record named findings of the run."""
        self.emit(Facts(facts=facts))

    def warn(self, text: str) -> None:
        """Record something that a reader of the number must know."""
        self.emit(Log(level="warning", text=text))
        self.facts(warnings=[text])

    def examples(self, split: str, fingerprint: str, examples: list[Example]) -> None:
        """Hand over a dev split as the run reads it."""
        self.emit(ExampleSet(split=split, fingerprint=fingerprint, examples=examples))

    def check_stop(self) -> None:
        """End the run here if a stop was asked for."""
        if self.is_stopping:
            raise StopRequestedError

    def save_model(self, *writers: Callable[[Path], None]) -> None:
        """Write the trained model beside its final name and rename it: a folder of that name is complete."""
        part = self.best_model.with_name(f"{BEST_MODEL}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            for write in writers:
                write(part)
            _write_through(part)
        except Exception as error:
            # What is half written only takes the space that the next attempt needs.
            shutil.rmtree(part, ignore_errors=True)
            if not _is_disk_full(error):
                raise
            raise DiskFullError(
                f"the trained model could not be saved in {part.parent}: the disk is full",
                "Free space, or choose another --results; then run the same command again.",
            ) from error
        part.rename(self.best_model)
        self.emit(Artifact(kind="model", path=BEST_MODEL))


def _write_through(folder: Path) -> None:
    """Have all files on the disk: the checkpoint goes next, and a power cut must not take the model too."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as written:
                os.fsync(written.fileno())


def _is_disk_full(error: Exception) -> bool:
    """Say whether an error means a full disk or quota; libraries report it in their own types."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "No space left" in str(error) or "quota exceeded" in str(error)
