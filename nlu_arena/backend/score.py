"""Label log-likelihoods of prompts: shared prefix computed once, label columns only, float32 at the end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from nlu_arena.backend.batching import TOKEN_BUDGET, Padded, pad_rows, plan_batches
from nlu_arena.backend.controls import Tokens
from nlu_arena.backend.dense_attention import dense_attention
from nlu_arena.backend.device import is_out_of_memory
from nlu_arena.backend.dropout import quick_dropout
from nlu_arena.backend.encode import LabelTokens
from nlu_arena.backend.label_tree import LabelTree, grow_tree, join_tree, sum_paths, supports_tree
from nlu_arena.backend.prefix import Prefix, run_prefix, run_rows
from nlu_arena.backend.vocabulary import label_logits, token_log_likelihoods
from nlu_arena.errors import RunError


def shared_prefix_length(rows: Sequence[Tokens]) -> int:
    """Return how many leading tokens all rows share, leaving every row at least one of its own."""
    first, last = min(rows), max(rows)
    limit = min(len(row) for row in rows) - 1
    # The longest common prefix of all rows is that of the smallest and the largest.
    return next((at for at in range(limit) if first[at] != last[at]), limit)


def _last_states(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Return the hidden states of each row's last real token, [rows, size]."""
    return hidden[torch.arange(len(lengths), device=hidden.device), lengths - 1]


# Prompts, beside the longest, that are read both whole and behind the prefix.
PROMPTS_TRIED = 2
# How many tokens a CPU reads at once: more leave its cache between one step of a layer and the next.
CPU_TOKENS = 1024
# How far two ways of computing the same log-probabilities may be apart. Roundings of the products add up over
# the tokens of a label (0.36 in bfloat16 with 77 labels); a mask that is not heeded makes 2 and more.
SAME_ANSWERS = {torch.float32: 1e-2, torch.bfloat16: 1.0}
# What architectures raise that take no cache, no mask or no attention but their own.
REFUSALS = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


class LabelScorer:
    """Scores the labels of prompts with one decoder.

    Args:
        model: The decoder.
        labels: The labels' tokens.
        pad_id: The id that pads.
        reuse_prefix: Run shared tokens once; without it every prompt is run whole, the plain way.
    """

    def __init__(
        self, model: PreTrainedModel, labels: LabelTokens, pad_id: int, *, reuse_prefix: bool = True
    ) -> None:
        self.model = model
        self.labels = labels
        self.pad_id = pad_id
        self.reuse_prefix = reuse_prefix
        self.prefix: Tokens = []
        self._prefix_states: Prefix | None = None
        self._use_tree = True

    def share_prefix(self, rows: Sequence[Tokens]) -> None:
        """Find the tokens that all prompts share; they are run at the first batch after it."""
        self.prefix = rows[0][: shared_prefix_length(rows)] if self.reuse_prefix else []
        self.forget()

    def choose_ways(self, rows: Sequence[Tokens]) -> list[str]:
        """Leave out the ways of saving work that give other answers than reading a prompt plainly, or none.

        Some prompts, the longest among them, are scored both ways: one alone may agree by chance. A model
        that does not heed the cache, the mask or the places that it is given (a recurrent one, one with a
        window of its own) is found out by it, or refuses them.

        Returns:
            what is left out, in words.
        """
        row, left_out = max(rows, key=len), []
        with torch.inference_mode():
            if self.prefix and not self._prefix_agrees([row, *rows[:: -(-len(rows) // PROMPTS_TRIED)]]):
                left_out.append("the prefix that all prompts share")
                self.reuse_prefix, self.prefix = False, []
                self.forget()
            if not self.labels.single_position and supports_tree(self.model, len(row) + self._longest_label):
                states = self._prefix_states
                one_by_one, at_once = self._sum_all_labels([row], states), self._try_tree(row, states)
                self._use_tree = at_once is not None and self._agree(one_by_one, at_once)
                left_out += [] if self._use_tree else ["the tree of labels"]
        return left_out

    def _prefix_agrees(self, rows: Sequence[Tokens]) -> bool:
        """Say whether a batch behind the prefix has the answers of its prompts, each read whole and alone."""
        try:
            self._prefix_states = run_prefix(self.model, self.prefix)
            hidden, lengths = self._hidden(rows, self._prefix_states)
        except REFUSALS as error:
            if is_out_of_memory(error):
                raise
            return False
        behind = label_logits(self.model, _last_states(hidden, lengths), self._first_tokens)
        return all(
            self._agree(self._read_plainly(row), logits) for row, logits in zip(rows, behind, strict=True)
        )

    def _agree(self, one: Tensor, other: Tensor) -> bool:
        difference = (one.log_softmax(dim=-1) - other.log_softmax(dim=-1)).abs().max()
        return bool(difference <= SAME_ANSWERS[self.model.dtype])

    def _read_plainly(self, row: Tokens) -> Tensor:
        """Return the logits of the labels' first tokens after a prompt that is read whole, [labels]."""
        hidden = run_rows(self.model, torch.tensor([row], device=self.model.device), None)
        return label_logits(self.model, hidden[0, -1:], self._first_tokens)[0]

    def _try_tree(self, row: Tokens, states: Prefix | None) -> Tensor | None:
        """Return the labels' likelihoods by the tree, None from a model that takes no mask of that shape."""
        try:
            return self._sum_tree([row], states)
        except REFUSALS as error:
            if is_out_of_memory(error):
                raise
            return None

    def forget(self) -> None:
        """Drop the states of the shared prefix: they are those of the weights that computed them."""
        self._prefix_states = None

    def score(self, rows: Sequence[Tokens]) -> Tensor:
        """Return the labels' log-probabilities, [rows, labels] in float32, without gradients.

        Raises:
            RunError: A score is not finite.
        """
        with torch.inference_mode():
            if self._prefix_states is None:
                self._prefix_states = run_prefix(self.model, self.prefix)
            scores = self._score_parts(rows, self._prefix_states).log_softmax(dim=-1)
        if not torch.isfinite(scores).all():
            raise RunError("the model's label scores are not finite")
        return scores

    def _score_parts(self, rows: Sequence[Tokens], prefix: Prefix | None) -> Tensor:
        """Return what `_likelihoods` does; on a CPU in parts whose states stay in its cache, and pad less."""
        if self.model.device.type != "cpu" or not self.labels.single_position:
            return self._likelihoods(rows, prefix)
        parts = plan_batches([len(row) - len(self.prefix) for row in rows], len(rows), CPU_TOKENS)
        scores = torch.cat([self._likelihoods([rows[at] for at in part], prefix) for part in parts])
        order = torch.tensor([at for part in parts for at in part])
        return scores[order.argsort()]

    def loss(self, rows: Sequence[Tokens], gold: Sequence[int]) -> Tensor:
        """Return the summed training loss of a micro-batch, with gradients.

        Cross-entropy over the label scores where one position decides; otherwise the mean token loss of the
        gold label. The prefix is run again for each call, once for all rows: its gradient is their sum.
        """
        # The weights are about to change.
        self.forget()
        with dense_attention(self.model), quick_dropout(self.model):
            return self._loss(rows, gold, run_prefix(self.model, self.prefix))

    def tokens(self, rows: Sequence[Tokens]) -> set[int]:
        """Return the ids of all tokens that rows are read with: theirs, the labels' and the padding's."""
        return {token for row in [*rows, *self.labels.ids] for token in row} | {self.pad_id}

    def _loss(self, rows: Sequence[Tokens], gold: Sequence[int], states: Prefix | None) -> Tensor:
        targets = torch.tensor(gold, device=self.model.device)
        if self.labels.single_position:
            return torch.nn.functional.cross_entropy(
                self._likelihoods(rows, states), targets, reduction="sum"
            )
        chosen = [self.labels.ids[label] for label in gold]
        sums = self._sum_tokens(rows, chosen, states)
        counts = torch.tensor([len(ids) for ids in chosen], device=sums.device)
        return -(sums / counts).sum()

    def _likelihoods(self, rows: Sequence[Tokens], prefix: Prefix | None) -> Tensor:
        """Return log-likelihoods of the labels up to a constant for each row, [rows, labels]."""
        if self.labels.single_position:
            hidden, lengths = self._hidden(rows, prefix)
            return label_logits(self.model, _last_states(hidden, lengths), self._first_tokens)
        longest = max(map(len, rows)) + self._longest_label
        own = longest - len(self.prefix)
        if self._use_tree and supports_tree(self.model, longest):
            size = max(1, TOKEN_BUDGET // (own + len(self._tree.tokens)))
            parts = [rows[start : start + size] for start in range(0, len(rows), size)]
            return torch.cat([self._sum_tree(part, prefix) for part in parts])
        # Every row is read once for each label: with many labels a batch is taken in parts.
        size = max(1, TOKEN_BUDGET // (len(self.labels.ids) * own))
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        return torch.cat([self._sum_all_labels(part, prefix) for part in parts])

    @property
    def _longest_label(self) -> int:
        return max(map(len, self.labels.ids))

    @property
    def _first_tokens(self) -> Tensor:
        return torch.tensor([ids[0] for ids in self.labels.ids], device=self.model.device)

    @cached_property
    def _tree(self) -> LabelTree:
        return grow_tree(self.labels.ids)

    def _sum_tree(self, rows: Sequence[Tokens], prefix: Prefix | None) -> Tensor:
        """Return the summed log-likelihood of every label after each row in one pass, [rows, labels]."""
        shared = len(self.prefix)
        batch = pad_rows([row[shared:] for row in rows], self.pad_id, self.model.device)
        inputs = join_tree(self._tree, batch.ids, batch.lengths, shared, self.model.dtype)
        cache = {"past_key_values": prefix.cache, "use_cache": True} if prefix else {"use_cache": False}
        hidden = self.model.base_model(
            input_ids=inputs.ids, position_ids=inputs.positions, attention_mask=inputs.mask, **cache
        ).last_hidden_state
        states = hidden.gather(1, inputs.places[..., None].expand(-1, -1, hidden.shape[-1]))
        places, tokens = self._tree.edges(states.device)
        # Where a row's states begin among those of all rows.
        begin = torch.arange(len(rows), device=states.device)[:, None] * states.shape[1]
        edges = token_log_likelihoods(
            self.model, states.flatten(0, 1), (begin + places).flatten(), tokens.repeat(len(rows))
        )
        return sum_paths(self._tree, edges.view(len(rows), -1))

    def _sum_all_labels(self, rows: Sequence[Tokens], prefix: Prefix | None) -> Tensor:
        """Return the summed log-likelihood of every label after each row, [rows, labels]."""
        repeated = [row for row in rows for _ in self.labels.ids]
        chosen = [ids for _ in rows for ids in self.labels.ids]
        return self._sum_tokens(repeated, chosen, prefix).view(len(rows), len(self.labels.ids))

    def _sum_tokens(
        self, rows: Sequence[Tokens], labels: Sequence[tuple[int, ...]], prefix: Prefix | None
    ) -> Tensor:
        """Return the summed log-likelihood of one label after each row, [rows]."""
        # The last label token is predicted, never read.
        hidden, lengths = self._hidden(
            [[*row, *ids[:-1]] for row, ids in zip(rows, labels, strict=True)], prefix
        )
        counts = torch.tensor([len(ids) for ids in labels], device=hidden.device)
        owner = torch.repeat_interleave(torch.arange(len(rows), device=hidden.device), counts)
        offset = torch.cat([torch.arange(len(ids), device=hidden.device) for ids in labels])
        states = hidden[owner, (lengths - counts)[owner] + offset]
        targets = torch.tensor([token for ids in labels for token in ids], device=hidden.device)
        own = torch.arange(len(targets), device=hidden.device)
        likelihoods = token_log_likelihoods(self.model, states, own, targets)
        return torch.zeros(len(rows), device=hidden.device).index_add(0, owner, likelihoods)

    def _hidden(self, rows: Sequence[Tokens], prefix: Prefix | None) -> tuple[Tensor, Tensor]:
        """Return the hidden states of the rows' own tokens, [rows, longest, size], and the rows' lengths."""
        shared = len(self.prefix)
        batch: Padded = pad_rows([row[shared:] for row in rows], self.pad_id, self.model.device)
        return run_rows(self.model, batch.ids, prefix), batch.lengths
