"""The training loop: AdamW, linear warm-up and decay, accumulation, and nothing that depends on luck."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from nlu_arena.backend.batching import plan_epoch
from nlu_arena.backend.checkpoint import Position, Snapshot, restore_snapshot, take_snapshot
from nlu_arena.backend.device import freed_memory_kept, is_out_of_memory, release_memory, seed_everything
from nlu_arena.backend.embedding import occurring_embeddings
from nlu_arena.backend.halving import Row, score_batch
from nlu_arena.backend.optimizer import build_optimizer, clip_gradient, measure_gradient
from nlu_arena.errors import RunError
from nlu_arena.spec import TrainSettings


class DivergedError(RunError):
    """A loss or a gradient is not finite."""


class Objective(Protocol):
    """What training needs of a scorer: the summed loss, scores and tokens of rows, and a clean slate."""

    model: Any

    def loss(self, rows: Sequence[Row], gold: Sequence[int]) -> Tensor:
        """Return the summed loss with gradients."""

    def score(self, rows: Sequence[Row]) -> Tensor:
        """Return log-probabilities, [rows, labels]."""

    def tokens(self, rows: Sequence[Row]) -> set[int]:
        """Return the ids of all tokens that rows are read with."""

    def forget(self) -> None:
        """Drop what was computed with weights that have changed since."""


class Checkpoints(Protocol):
    """What training needs of whoever keeps its checkpoints."""

    def read(self) -> Snapshot | None:
        """Return where to go on, None to begin."""

    def offer(self, take: Callable[[], Snapshot]) -> None:
        """Keep the training's state if it is time to; raises when the training is to stop here."""


class TrainingRows(NamedTuple):
    """Encoded examples with their gold labels and token counts."""

    rows: Sequence[Row]
    gold: Sequence[int]
    lengths: Sequence[int]

    def take(self, indices: Sequence[int]) -> TrainingRows:
        """Return the rows of the given indices."""
        return TrainingRows(*([values[i] for i in indices] for values in self))


class Step(NamedTuple):
    """What one optimiser step reports: mean loss over its batch, learning rate, examples seen in all."""

    number: int
    epoch: float
    loss: float
    lr: float
    examples: int


class EpochEnd(NamedTuple):
    """The accuracy on the held-out slice after an epoch."""

    number: int
    step: int
    accuracy: float


class TrainingResult(NamedTuple):
    """Which weights were kept, in how many steps, and how far the training came in the end."""

    selection: str
    epoch: int
    steps: int
    position: Position


def learning_rate_share(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step counted from 0: linear up, then linear down to 0.

    The warm-up is a share of all steps, so it can never outlast the training.
    """
    warm = math.ceil(total * warmup)
    if step < warm:
        return (step + 1) / warm
    return (total - step) / max(1, total - warm)


def hold_out(n_rows: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Split row numbers into those that train and a seeded slice for the choice of the epoch."""
    order = list(range(n_rows))
    random.Random(f"held-out/{seed}").shuffle(order)
    count = round(n_rows * share)
    return sorted(order[count:]), sorted(order[:count])


class Trainer:
    """Trains a scorer's model on encoded rows.

    Args:
        objective: Gives the loss of rows and their scores.
        settings: Everything that changes the trained weights.
        seed: Seeds the order of the rows and dropout.
        checkpoints: Keeps the state between steps; without it a training that is killed begins anew.
    """

    def __init__(
        self,
        objective: Objective,
        settings: TrainSettings,
        seed: int,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.objective = objective
        self.settings = settings
        self.seed = seed
        self.position = Position(micro_batch=settings.batch_size)
        self._checkpoints = checkpoints
        self._best: dict[str, Tensor] = {}

    def run(
        self,
        data: TrainingRows,
        on_step: Callable[[Step], None],
        on_epoch: Callable[[EpochEnd], None],
    ) -> TrainingResult:
        """Train for all epochs and leave the kept weights in the model.

        A training that goes on from a checkpoint tells its listeners of the steps before it too.

        Raises:
            DivergedError: A loss or a gradient is not finite.
            RunError: One row alone does not fit in memory.
        """
        model, tokens = self.objective.model, self.objective.tokens(data.rows)
        with freed_memory_kept(), occurring_embeddings(model, tokens):
            return self._train(data, on_step, on_epoch)

    def _train(
        self,
        data: TrainingRows,
        on_step: Callable[[Step], None],
        on_epoch: Callable[[EpochEnd], None],
    ) -> TrainingResult:
        settings = self.settings
        kept_rows, held_rows = hold_out(len(data.rows), settings.held_out, self.seed)
        train, held = data.take(kept_rows), data.take(held_rows)
        steps_per_epoch = math.ceil(len(train.rows) / settings.batch_size)
        total = steps_per_epoch * settings.epochs
        seed_everything(self.seed)
        optimizer = build_optimizer(self.objective.model, settings)
        self._resume(optimizer)
        losses, seen, earlier = self.position.losses, 0, len(self.position.losses)
        for step, epoch, batch in self._batches(train):
            lr = settings.lr * learning_rate_share(step, total, settings.warmup)
            if step >= earlier:
                for group in optimizer.param_groups:
                    group["lr"] = lr
                losses.append(self._step(optimizer, train.take(batch)))
            seen += len(batch)
            on_step(Step(step + 1, (step + 1) / steps_per_epoch, losses[step], lr, seen))
            if held.rows and (step + 1) % steps_per_epoch == 0:
                if step >= earlier:
                    self._judge(held)
                on_epoch(EpochEnd(epoch + 1, step + 1, self.position.held_out[epoch]))
            if step >= earlier:
                self._offer(optimizer)
        return self._keep_best(total)

    def _resume(self, optimizer: torch.optim.Optimizer) -> None:
        """Go back to the newest checkpoint, if there is one."""
        snapshot = self._checkpoints.read() if self._checkpoints else None
        if snapshot is not None:
            self._best = restore_snapshot(snapshot, self.objective.model, optimizer)
            self.objective.forget()
            self.position = snapshot.position

    def _offer(self, optimizer: torch.optim.Optimizer) -> None:
        if self._checkpoints is not None:
            model = self.objective.model
            self._checkpoints.offer(lambda: take_snapshot(self.position, model, optimizer, self._best))

    def _judge(self, held: TrainingRows) -> None:
        """Measure the epoch that has ended on the held-out rows, and keep its weights if it is the best."""
        accuracies = self.position.held_out
        accuracies.append(self._accuracy(held))
        # The first of equal ones: later epochs must earn their place.
        if accuracies[-1] > max(accuracies[:-1], default=-1.0):
            self._best = trainable_state(self.objective.model)
            self.position.best_epoch = len(accuracies)

    def _keep_best(self, total: int) -> TrainingResult:
        """Put the kept weights into the model, ready to score."""
        model, position = self.objective.model, self.position
        if self._best:
            model.load_state_dict(self._best, strict=False)
            self.objective.forget()
        model.eval()
        return TrainingResult(
            selection="best on held-out train" if self._best else "last epoch",
            epoch=position.best_epoch or self.settings.epochs,
            steps=total,
            position=position,
        )

    def _batches(self, train: TrainingRows) -> Iterator[tuple[int, int, list[int]]]:
        """Yield step, epoch and row numbers; the order depends on the seed alone."""
        generator = random.Random(f"epochs/{self.seed}")
        step = 0
        for epoch in range(self.settings.epochs):
            for batch in plan_epoch(train.lengths, self.settings.batch_size, generator):
                yield step, epoch, batch
                step += 1

    def _step(self, optimizer: torch.optim.Optimizer, batch: TrainingRows) -> float:
        """Do one optimiser step on a whole batch and return its mean loss."""
        self.objective.model.train()
        while True:
            optimizer.zero_grad(set_to_none=True)
            try:
                loss = self._accumulate(batch)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(error)
        norm = float(measure_gradient(optimizer))
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise DivergedError(
                f"the training loss is not finite (loss {loss}, gradient norm {norm})",
                "Try a smaller learning rate, or another precision.",
            )
        clip_gradient(optimizer, norm, self.settings.clip, self.objective.model.device)
        optimizer.step()
        return loss

    def _accumulate(self, batch: TrainingRows) -> float:
        """Add up the gradients of the batch's mean loss, one micro-batch after the other."""
        total, size = 0.0, len(batch.rows)
        micro_batch = self.position.micro_batch
        for start in range(0, size, micro_batch):
            part = batch.take(range(start, min(start + micro_batch, size)))
            # Sums over the size of the whole batch: the same mean whatever the micro-batch is.
            loss = self.objective.loss(part.rows, part.gold) / size
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _halve(self, error: RuntimeError) -> None:
        """Halve the micro-batch after a failed allocation; the batch itself stays what the settings say."""
        release_memory(self.objective.model.device)
        if self.position.micro_batch == 1:
            raise RunError(
                "out of memory with a single example in a batch", "Use a smaller model."
            ) from error
        self.position.micro_batch = max(1, self.position.micro_batch // 2)
        self.position.retries += 1

    def _accuracy(self, held: TrainingRows) -> float:
        self.objective.model.eval()
        right = 0
        for start in range(0, len(held.rows), self.settings.batch_size):
            part = held.take(range(start, min(start + self.settings.batch_size, len(held.rows))))
            scores = score_batch(part.rows, self.objective.score, self.objective.model.device)
            predicted = scores.argmax(dim=-1).tolist()
            right += sum(p == g for p, g in zip(predicted, part.gold, strict=True))
        return right / len(held.rows)


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights that training changes."""
    return {name: copy.deepcopy(w.detach()) for name, w in model.named_parameters() if w.requires_grad}
