"""Label scores: equal to a plain computation, whatever the batch, the padding and the shared prefix."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    JambaConfig,
    JambaForCausalLM,
    MptConfig,
    MptForCausalLM,
    NemotronConfig,
    NemotronForCausalLM,
    PreTrainedModel,
)

from nlu_arena.backend import attention, score
from nlu_arena.backend.attention import supports_shared_attention
from nlu_arena.backend.encode import LabelTokens, Tokens
from nlu_arena.backend.label_tree import grow_tree, supports_tree
from nlu_arena.backend.score import LabelScorer, shared_prefix_length
from nlu_arena.backend.vocabulary import check_label_logits
from nlu_arena.errors import RunError
from tests.tiny import build_decoder

SINGLE = LabelTokens(((20,), (30, 31), (40,)), single_position=True)
# First tokens shared, lengths different.
SEVERAL = LabelTokens(((20, 21), (20, 22, 23), (25,)), single_position=False)
PREFIX = [1, *range(50, 70)]


@pytest.fixture(scope="module", params=["llama", "gemma2", "gemma3"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    folder = build_decoder(tmp_path_factory.mktemp(request.param), request.param)
    # Eager, because the tiny Gemma caps its attention logits, which fused attention cannot.
    attention = "eager" if request.param == "gemma2" else "sdpa"
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    return loaded.eval()


@pytest.fixture
def prompts() -> list[Tokens]:
    generator = random.Random(7)
    tails = [[generator.randrange(4, 200) for _ in range(generator.randrange(1, 30))] for _ in range(33)]
    return [PREFIX + tail for tail in tails]


def plain_scores(model: PreTrainedModel, prompts: list[Tokens], labels: LabelTokens) -> torch.Tensor:
    """One forward pass for each prompt and label, no batch, no cache, the whole vocabulary."""
    rows = []
    for prompt in prompts:
        row = []
        for ids in labels.ids:
            scored = ids[:1] if labels.single_position else ids
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([prompt + list(ids)])).logits[0].float()
            steps = logits.log_softmax(dim=-1)[len(prompt) - 1 : len(prompt) - 1 + len(scored)]
            row.append(sum(step[token] for step, token in zip(steps, scored, strict=True)))
        rows.append(torch.stack(row))
    return torch.stack(rows).log_softmax(dim=-1)


@pytest.mark.parametrize("labels", [SINGLE, SEVERAL], ids=["one position", "several tokens"])
def test_scores_equal_a_plain_uncached_computation(
    model: PreTrainedModel, prompts: list[Tokens], labels: LabelTokens
) -> None:
    scorer = LabelScorer(model, labels, pad_id=0)
    scorer.share_prefix(prompts)
    assert scorer.prefix[: len(PREFIX)] == PREFIX
    torch.testing.assert_close(scorer.score(prompts), plain_scores(model, prompts, labels), atol=1e-4, rtol=0)


@pytest.mark.parametrize("labels", [SINGLE, SEVERAL], ids=["one position", "several tokens"])
def test_batch_size_padding_and_prefix_reuse_change_no_score(
    model: PreTrainedModel, prompts: list[Tokens], labels: LabelTokens
) -> None:
    whole = LabelScorer(model, labels, pad_id=0)
    whole.share_prefix(prompts)
    expected = whole.score(prompts)
    for size in (1, 8, 32):
        for pad_id, reuse in ((0, True), (99, True), (0, False)):
            scorer = LabelScorer(model, labels, pad_id, reuse_prefix=reuse)
            scorer.share_prefix(prompts)
            found = torch.cat([scorer.score(prompts[at : at + size]) for at in range(0, len(prompts), size)])
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
            assert torch.equal(found.argmax(dim=-1), expected.argmax(dim=-1))


@pytest.mark.parametrize("labels", [SINGLE, SEVERAL], ids=["one position", "several tokens"])
def test_gradients_through_the_shared_prefix_equal_those_of_whole_prompts(
    model: PreTrainedModel, prompts: list[Tokens], labels: LabelTokens
) -> None:
    gold = [number % 3 for number in range(len(prompts))]
    weight = model.base_model.layers[0].self_attn.k_proj.weight
    found = {}
    for reuse in (True, False):
        scorer = LabelScorer(model, labels, 0, reuse_prefix=reuse)
        scorer.share_prefix(prompts)
        loss = scorer.loss(prompts, gold)
        found[reuse] = (loss.detach(), torch.autograd.grad(loss, weight)[0])
    torch.testing.assert_close(found[True], found[False], atol=2e-3, rtol=1e-4)


def test_scores_after_a_training_step_are_those_of_the_new_weights(
    tiny_llama: Path, prompts: list[Tokens]
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    scorer = LabelScorer(model, SINGLE, 0)
    scorer.share_prefix(prompts)
    before = scorer.score(prompts)
    scorer.loss(prompts, [0] * len(prompts)).backward()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.grad is not None:
                weight.sub_(0.1 * weight.grad / len(prompts))
    after = scorer.score(prompts)
    assert not torch.allclose(before, after, atol=1e-3)
    torch.testing.assert_close(after, plain_scores(model, prompts, SINGLE), atol=1e-4, rtol=0)


def test_the_fast_attention_is_used_where_it_is_right_and_nowhere_else(model: PreTrainedModel) -> None:
    windowed = getattr(model.config, "sliding_window", None) is not None
    assert supports_shared_attention(model, 50) == (not windowed)
    # Within the window Gemma 3 attends plainly; Gemma 2 caps its scores, and runs eagerly for it.
    assert supports_shared_attention(model, 8) == (model.config.model_type != "gemma2")


def test_a_model_with_attention_of_its_own_takes_the_plain_way(
    tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    assert supports_shared_attention(model, 50)
    monkeypatch.setattr(type(model), "_supports_attention_backend", False)
    assert not supports_shared_attention(model, 50)


@pytest.mark.parametrize(
    ("short_prefix", "longest_stacked", "ways"),
    [
        (64, 256, {"_attend_joined"}),
        (-1000, 256, {"_attend_apart"}),
        (64, 10, {"_attend_apart", "_attend_long"}),
    ],
    ids=["prefix before every row", "prefix met once", "kernel's own mask"],
)
def test_every_way_of_attending_to_the_prefix_gives_the_plain_scores(
    tiny_llama: Path,
    prompts: list[Tokens],
    monkeypatch: pytest.MonkeyPatch,
    short_prefix: int,
    longest_stacked: int,
    ways: set[str],
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    monkeypatch.setattr(attention, "SHORT_PREFIX", short_prefix)
    monkeypatch.setattr(attention, "LONGEST_STACKED", longest_stacked)
    taken: set[str] = set()
    for name in ("_attend_joined", "_attend_apart", "_attend_long"):

        def note(*args: object, name: str = name, way: object = getattr(attention, name)) -> object:
            taken.add(name)
            return way(*args)  # type: ignore[operator]

        monkeypatch.setattr(attention, name, note)
    scorer = LabelScorer(model, SINGLE, 0)
    scorer.share_prefix(prompts)
    found = scorer.score(prompts)
    assert taken == ways
    torch.testing.assert_close(found, plain_scores(model, prompts, SINGLE), atol=1e-4, rtol=0)


def test_a_batch_is_read_in_parts_that_fit_a_cpu_with_the_same_scores(
    model: PreTrainedModel, prompts: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = LabelScorer(model, SINGLE, 0)
    scorer.share_prefix(prompts)
    whole = scorer.score(prompts)
    read: list[list[Tokens]] = []
    likelihoods = scorer._likelihoods
    monkeypatch.setattr(
        scorer, "_likelihoods", lambda rows, prefix: (read.append(rows), likelihoods(rows, prefix))[1]
    )
    monkeypatch.setattr(score, "CPU_TOKENS", 100)
    torch.testing.assert_close(scorer.score(prompts), whole, atol=1e-4, rtol=0)
    assert sorted(row for part in read for row in part) == sorted(prompts)
    own = [max(map(len, part)) - len(scorer.prefix) for part in read]
    assert all(len(part) * size <= 100 for part, size in zip(read, own, strict=True))


def test_many_labels_are_scored_in_parts_with_the_same_scores(
    tiny_llama: Path, prompts: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    monkeypatch.setattr("nlu_arena.backend.score.supports_tree", lambda model, longest: False)
    labels = LabelTokens(tuple((20, 100 + number) for number in range(77)), single_position=False)
    scorer = LabelScorer(model, labels, 0)
    scorer.share_prefix(prompts)
    read: list[int] = []
    hidden = scorer._hidden
    monkeypatch.setattr(
        scorer, "_hidden", lambda rows, prefix: (read.append(len(rows)), hidden(rows, prefix))[1]
    )
    whole = scorer.score(prompts)
    monkeypatch.setattr("nlu_arena.backend.score.TOKEN_BUDGET", 77 * 100)
    read.clear()
    torch.testing.assert_close(scorer.score(prompts), whole, atol=1e-4, rtol=0)
    assert sum(read) == 77 * len(prompts)
    assert max(read) <= 77 * 100 // 30


# 77 labels that share beginnings, one of them the beginning of no other.
TREE = LabelTokens(
    (*((20, 100 + n, 3) for n in range(40)), *((20, 21, 100 + n, 30) for n in range(36)), (25,)),
    single_position=False,
)


@pytest.mark.parametrize("reuse", [True, False], ids=["shared prefix", "whole prompts"])
def test_a_tree_of_labels_gives_the_scores_of_each_label_alone(
    model: PreTrainedModel, prompts: list[Tokens], reuse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Wide enough for whole prompts; the layers read it from their own configuration.
    for module in model.modules():
        if getattr(module, "sliding_window", None):
            monkeypatch.setattr(module, "sliding_window", 512)
    monkeypatch.setattr(model.config, "sliding_window", 512, raising=False)
    assert supports_tree(model, 60)
    scorer = LabelScorer(model, TREE, 0, reuse_prefix=reuse)
    scorer.share_prefix(prompts)
    found = scorer.score(prompts)
    torch.testing.assert_close(found[:6], plain_scores(model, prompts[:6], TREE), atol=1e-4, rtol=0)
    monkeypatch.setattr("nlu_arena.backend.score.TOKEN_BUDGET", 500)
    torch.testing.assert_close(scorer.score(prompts), found, atol=1e-4, rtol=0)
    monkeypatch.setattr("nlu_arena.backend.score.supports_tree", lambda model, longest: False)
    torch.testing.assert_close(scorer.score(prompts), found, atol=1e-4, rtol=0)


def test_a_tree_is_used_only_where_the_whole_prompt_fits_into_the_window(model: PreTrainedModel) -> None:
    windowed = getattr(model.config, "sliding_window", None) is not None
    assert (supports_tree(model, 8), supports_tree(model, 9)) == (True, not windowed)


def test_a_tree_reads_common_beginnings_once_and_no_last_token() -> None:
    tree = grow_tree([(5, 6, 7), (5, 6, 8), (5, 9), (4,)])
    assert tree.tokens == [5, 6]
    assert (tree.parents, tree.depths) == ([0, 0, 1], [0, 1, 2])
    assert list(zip(tree.edge_places, tree.edge_tokens, strict=True)) == [
        (0, 5),
        (1, 6),
        (2, 7),
        (2, 8),
        (1, 9),
        (0, 4),
    ]
    assert tree.paths == [[0, 1, 2], [0, 1, 3], [0, 4], [5]]


def test_a_label_that_another_continues_is_read_as_its_beginning() -> None:
    # The shorter one comes last: its own token is read for the longer.
    tree = grow_tree([(5, 6, 2), (5, 2)])
    assert (tree.tokens, tree.paths) == ([5, 6], [[0, 1, 2], [0, 3]])


def test_a_prompt_that_is_whole_in_the_prefix_keeps_one_token_of_its_own() -> None:
    assert shared_prefix_length([[1, 2, 3], [1, 2, 3]]) == 2
    assert shared_prefix_length([[1, 2, 3, 4], [1, 2]]) == 1
    assert shared_prefix_length([[1, 2, 3], [1, 5, 3], [1, 2, 4]]) == 1
    assert shared_prefix_length([[5], [6, 7]]) == 0


def test_a_score_that_is_not_finite_is_an_error(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    with torch.no_grad():
        model.base_model.norm.weight.fill_(float("nan"))
    scorer = LabelScorer(model, SINGLE, 0)
    with pytest.raises(RunError, match="not finite"):
        scorer.score([[1, 2, 3]])


def test_a_model_that_scales_its_logits_in_an_unknown_way_is_refused(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    check_label_logits(model, [1, 50, 51])
    head = model.lm_head
    head.register_forward_hook(lambda _module, _inputs, logits: logits * 0.5)
    with pytest.raises(RunError, match="not supported"):
        check_label_logits(model, [1, 50, 51])


@pytest.mark.parametrize("labels", [SINGLE, TREE], ids=["one position", "tree"])
def test_on_a_sound_model_every_way_of_saving_work_is_used(
    model: PreTrainedModel, prompts: list[Tokens], labels: LabelTokens
) -> None:
    scorer = LabelScorer(model, labels, 0)
    scorer.share_prefix(prompts)
    assert scorer.choose_ways(prompts) == []
    assert scorer.prefix[: len(PREFIX)] == PREFIX


def test_a_model_that_heeds_no_mask_is_read_label_by_label(tmp_path: Path, prompts: list[Tokens]) -> None:
    # Its distances are those of places in memory (ALiBi), where a tree has its branches behind each other.
    config = MptConfig(vocab_size=400, d_model=32, n_heads=4, n_layers=2, max_seq_len=128)
    torch.manual_seed(0)
    model = MptForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(10)
    scorer = LabelScorer(model, TREE, 0)
    scorer.share_prefix(prompts)
    assert "the tree of labels" in scorer.choose_ways(prompts)
    torch.testing.assert_close(
        scorer.score(prompts[:4]), plain_scores(model, prompts[:4], TREE), atol=1e-3, rtol=0
    )


def test_a_model_that_loses_what_the_prefix_said_reads_whole_prompts(
    tiny_llama: Path, prompts: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    run = score.run_prefix

    def forget(model: PreTrainedModel, prefix: Tokens) -> object:
        return run(model, prefix and [4] * len(prefix))

    monkeypatch.setattr(score, "run_prefix", forget)
    scorer = LabelScorer(model, SINGLE, 0)
    scorer.share_prefix(prompts)
    assert scorer.choose_ways(prompts) == ["the prefix that all prompts share"]
    torch.testing.assert_close(scorer.score(prompts), plain_scores(model, prompts, SINGLE), atol=1e-4, rtol=0)


def build_nemotron() -> PreTrainedModel:
    """Its layers hand nothing on to their attention: the prefix does not reach it."""
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    return NemotronForCausalLM(NemotronConfig(vocab_size=400, num_key_value_heads=2, **small))


def build_jamba() -> PreTrainedModel:
    """Half of its layers are recurrent: a cache made without its configuration has no place for them."""
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    layers = {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 1, "mamba_d_state": 4}
    return JambaForCausalLM(JambaConfig(vocab_size=400, num_key_value_heads=2, **small, **layers))


@pytest.mark.parametrize("build", [build_nemotron, build_jamba])
@pytest.mark.parametrize("labels", [SINGLE, TREE], ids=["one position", "tree"])
def test_a_model_that_refuses_the_prefix_reads_whole_prompts(
    build: Callable[[], PreTrainedModel], labels: LabelTokens, prompts: list[Tokens]
) -> None:
    torch.manual_seed(0)
    model = build().eval()
    attention_before = model.config._attn_implementation
    scorer = LabelScorer(model, labels, 0)
    scorer.share_prefix(prompts)
    assert "the prefix that all prompts share" in scorer.choose_ways(prompts)
    assert model.config._attn_implementation == attention_before
    found = scorer.score(prompts[:4])
    # A recurrence adds up roundings over all of a prompt.
    torch.testing.assert_close(found, plain_scores(model, prompts[:4], labels), atol=1e-3, rtol=0)


def test_memory_that_is_short_is_no_refusal_of_the_prefix(
    tiny_llama: Path, prompts: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(score, "run_prefix", run_out)
    scorer = LabelScorer(AutoModelForCausalLM.from_pretrained(tiny_llama).eval(), SINGLE, 0)
    scorer.share_prefix(prompts)
    with pytest.raises(torch.OutOfMemoryError):
        scorer.choose_ways(prompts)


def test_a_layer_with_a_mask_of_its_own_is_refused_by_the_shared_attention() -> None:
    tensor = torch.zeros(1, 2, 3, 8)
    states = [attention.LayerStates(tensor, tensor)]
    layer = SimpleNamespace(layer_idx=0)
    with pytest.raises(ValueError, match="mask of the layer's own"):
        attention.attend(
            layer, tensor, tensor, tensor, attention_mask=tensor, shared_prefix=states, scaling=1.0
        )


def test_the_vocabulary_in_parts_gives_the_same_scores(
    model: PreTrainedModel, prompts: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = LabelScorer(model, TREE, 0)
    scorer.share_prefix(prompts)
    whole = scorer.score(prompts[:5])
    monkeypatch.setattr("nlu_arena.backend.vocabulary.MOST_NUMBERS", 32 * 37)
    torch.testing.assert_close(scorer.score(prompts[:5]), whole, atol=1e-4, rtol=0)


def test_logits_that_are_not_finite_are_said_to_be_so(tiny_llama: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    with torch.no_grad():
        model.base_model.norm.weight.fill_(float("inf"))
    with pytest.raises(RunError, match="logits are not finite in float32"):
        check_label_logits(model, [1, 50, 51])
