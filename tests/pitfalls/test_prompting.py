"""Pitfalls of prompted models, P11 to P25: seen in runs, and with tokenizers in the real files' formats."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from nlu_arena.alarms import find_alarms
from nlu_arena.backend.encode import PromptEncoder, encode_texts
from nlu_arena.backend.weights import load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.events import ExampleSet
from nlu_arena.metrics import compute_metrics
from nlu_arena.modes.context import Session
from nlu_arena.registry import Registry
from nlu_arena.sample import draw_shots
from nlu_arena.spec import Example, LocalWeights, PromptStyle, Subset, TrainSettings
from nlu_arena.views.matrix import is_near_majority
from tests.modes.runs import MakeCell, do
from tests.pitfalls.conftest import MakeCase, WriteRows, with_weights, with_words
from tests.standin.checkpoints import GEMMA, QWEN_SMALL

FILM = Example(text="The film is a warm and funny surprise.", label=1, pair="The film is funny.")
BOOK = Example(text="A dull book with nothing to say;", label=0, pair="The book is not dull.")
STYLES: tuple[PromptStyle, ...] = ("plain", "chat")


def save_changed(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("cell", ["decoder zero-shot", "decoder few-shot", "decoder lora"])
def test_p11_nothing_is_generated_and_every_answer_is_a_label_that_was_scored(
    cell: str, make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(*_: object, **__: object) -> None:
        raise AssertionError("text was generated")

    monkeypatch.setattr("transformers.GenerationMixin.generate", generate)
    answers = do(make_cell(cell), tmp_path / "run").answers
    for answer in answers.values():
        assert answer.scores[answer.predicted] == max(answer.scores)
        assert sum(torch.tensor(answer.scores).exp()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("repository", [QWEN_SMALL, GEMMA])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("task", ["sst2", "rte", "mnli"])
def test_p12_prompt_and_label_together_have_the_tokens_of_the_prompt_and_then_the_labels(
    repository: str, style: PromptStyle, task: str, standin: dict[str, Path], shipped: Registry
) -> None:
    tokenizer = load_tokenizer(standin[repository])
    encoder = PromptEncoder(tokenizer, shipped.task(task), style, 4096)
    shots = [BOOK, FILM]
    encoded = encoder.encode(shots, [FILM, BOOK])
    for row, example in zip(encoded.rows, [FILM, BOOK], strict=True):
        text = encoder.render(shots, example)
        assert not text.endswith(" ")
        for label, ids in enumerate(encoded.labels.ids):
            word = shipped.task(task).prompt.words[shipped.task(task).labels[label]]
            answer = word if style == "chat" else f" {word}"
            whole = tokenizer(text + answer, add_special_tokens=style == "plain")["input_ids"]
            assert whole[: len(row) + len(ids)] == [*row, *ids][: len(whole)]


def test_p12_a_label_that_changes_the_tokens_before_it_is_refused(
    tiny_llama: Path, shipped: Registry
) -> None:
    tokenizer = load_tokenizer(tiny_llama)
    sst2 = shipped.task("sst2")
    # An assistant turn that has begun with a piece of the answer: "entail" + "ment" is one token.
    tokenizer.chat_template = "{{ messages[-1]['content'] }}\nentail"
    prompt = msgspec.structs.replace(sst2.prompt, words={"negative": "or", "positive": "ment"})
    task = msgspec.structs.replace(sst2, prompt=prompt)
    with pytest.raises(RunError, match="changes the tokens of the prompt"):
        PromptEncoder(tokenizer, task, "chat", 512).encode([], [FILM])


def test_p13_labels_that_share_their_first_token_are_told_apart(make_cell: MakeCell, tmp_path: Path) -> None:
    experiment = with_words(make_cell("decoder zero-shot"), negative="not warm", positive="not dull")
    said = do(experiment, tmp_path / "run")
    assert said.facts["scoring"] == "sum of label tokens"
    first, second = said.facts["label_tokens"]
    assert first[0] == second[0]
    assert all(answer.scores[0] != answer.scores[1] for answer in said.answers.values())
    alone = do(with_words(experiment, negative="warm", positive="dull"), tmp_path / "other").facts
    assert alone["scoring"] == "first token"


def test_p14_label_scores_of_a_bfloat16_model_are_float32(make_cell: MakeCell, tmp_path: Path) -> None:
    case = msgspec.structs.replace(make_cell("decoder zero-shot"), precision="bfloat16")
    scores = torch.tensor([answer.scores for answer in do(case, tmp_path / "run").answers.values()])
    rounded = scores.bfloat16().float()
    assert (scores != rounded).float().mean() > 0.9, "finer than bfloat16 can be"


def test_p14_exact_ties_are_counted_and_flagged(
    make_cell: MakeCell, tiny_llama: Path, tmp_path: Path
) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_llama), load_tokenizer(tiny_llama)
    experiment = make_cell("decoder zero-shot")
    first, second = (ids[0] for ids in do(experiment, tmp_path / "apart").facts["label_tokens"])
    with torch.no_grad():
        model.lm_head.weight[second] = model.lm_head.weight[first]
    folder = save_changed(model, tokenizer, tmp_path / "tied")
    answers = list(do(with_weights(experiment, folder), tmp_path / "run").answers.values())
    assert all(answer.tied for answer in answers)
    gold, predicted = [a.gold for a in answers], [a.predicted for a in answers]
    metrics = compute_metrics(gold, predicted, [0.5] * len(gold), n_labels=2)
    assert {"ties", "one label"} <= set(find_alarms(answers, metrics, ("no", "yes"), "dev"))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shots", [[], [BOOK, FILM]], ids=["zero-shot", "few-shot"])
def test_p15_exactly_one_bos_for_gemma_and_none_for_qwen(
    style: PromptStyle, shots: list[Example], standin: dict[str, Path], shipped: Registry
) -> None:
    asked = [FILM, BOOK, Example(text="<bos> begins a text", label=0)]
    gemma, qwen = load_tokenizer(standin[GEMMA]), load_tokenizer(standin[QWEN_SMALL])
    for row in PromptEncoder(gemma, shipped.task("sst2"), style, 4096).encode(shots, asked).rows:
        assert (row[0], row.count(gemma.bos_token_id)) == (gemma.bos_token_id, 1)
    for row in PromptEncoder(qwen, shipped.task("sst2"), style, 4096).encode(shots, asked).rows:
        assert qwen.convert_tokens_to_ids("<|endoftext|>") not in row


def test_p15_a_run_without_the_bos_that_its_model_wants_scores_nothing(
    make_cell: MakeCell, bos_llama: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="exactly one BOS"):
        do(with_weights(make_cell("decoder zero-shot"), bos_llama), tmp_path / "run")


def test_p16_the_template_is_part_of_an_experiment_and_of_what_is_recorded(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    chat = make_cell("decoder zero-shot")
    plain = with_weights(chat, Path(chat.model.weights.path), prompt_style="plain")  # type: ignore[union-attr]
    assert chat.key != plain.key
    prompts = [do(e, tmp_path / e.key).facts["prompt_example"] for e in (chat, plain)]
    assert [prompt.startswith("<|start|>user\n") for prompt in prompts] == [True, False]


@pytest.mark.parametrize("shots", [[], [BOOK, FILM]], ids=["zero-shot", "few-shot"])
def test_p16_no_system_turn_but_the_templates_own(
    shots: list[Example], standin: dict[str, Path], shipped: Registry
) -> None:
    task, own = shipped.task("sst2"), "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    text = PromptEncoder(load_tokenizer(standin[QWEN_SMALL]), task, "chat", 4096).render(shots, FILM)
    assert text.startswith(f"{own}<|im_start|>user\n{task.prompt.instruction}")
    assert text.count("<|im_start|>system") == 1
    gemma = PromptEncoder(load_tokenizer(standin[GEMMA]), task, "chat", 4096).render(shots, FILM)
    assert "system" not in gemma


def test_p16_instruct_models_are_asked_through_their_template_and_base_models_plainly(
    shipped: Registry,
) -> None:
    for model in shipped.models.values():
        is_instruct = "Instruct" in model.title
        assert (model.prompt_style == "chat") == is_instruct, model.name


@pytest.mark.parametrize(
    "cell", ["decoder zero-shot", "decoder few-shot", "encoder fine-tune", "decoder lora"]
)
def test_p17_batches_of_1_8_and_32_give_the_same_answers(
    cell: str, make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, found = make_cell(cell), {}
    for size in (32, 8, 1):
        monkeypatch.setattr("nlu_arena.modes.evaluation.BATCH_SIZE", size)
        # A trained model is trained once: the same folder.
        found[size] = do(experiment, tmp_path / "run").answers
    for size in (8, 1):
        for index, answer in found[32].items():
            assert found[size][index].predicted == answer.predicted
            assert found[size][index].scores == pytest.approx(answer.scores, abs=1e-4)


def test_p18_in_bfloat16_too_the_batches_do_not_depend_on_where_a_run_was_interrupted(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nlu_arena.modes.evaluation.BATCH_SIZE", 4)
    case = msgspec.structs.replace(make_cell("decoder few-shot"), precision="bfloat16")
    whole = do(case, tmp_path / "run").answers
    # Whole batches were answered: the batches are those of 4 in the order of their answers.
    answered = list(whole)[:8]
    rest = do(case, tmp_path / "run", answered={"dev": sorted(answered)}).answers
    assert rest == {index: whole[index] for index in whole if index not in answered}


def test_p19_draws_are_balanced_shuffled_and_different(make_cell: MakeCell, tmp_path: Path) -> None:
    session, drawn = Session(torch.device("cpu")), []
    for seed in range(6):
        case = msgspec.structs.replace(make_cell("decoder few-shot"), seed=seed, subset=Subset(dev=1))
        drawn.append(do(case, tmp_path / str(seed), session).facts["shot_labels"])
    assert all(sorted(Counter(labels).values()) == [1, 2] for labels in drawn)
    assert len({labels[-1] for labels in drawn}) == 2, "no label is always the last"
    assert len({Counter(labels).most_common(1)[0][0] for labels in drawn}) == 2, "nor always the one more"


def test_p20_a_draw_gets_every_label_and_changes_nothing_for_the_next() -> None:
    pool = [Example(text=f"text {n}", label=n % 3) for n in range(30)]
    before = list(pool)
    first = draw_shots(pool, 3, 6, seed=1)
    assert Counter(shot.label for shot in first) == {0: 2, 1: 2, 2: 2}
    assert draw_shots(pool, 3, 6, seed=1) == first
    assert pool == before


def test_p21_raw_and_calibrated_scores_are_both_kept(make_cell: MakeCell, tmp_path: Path) -> None:
    said = do(make_cell("decoder few-shot"), tmp_path / "run")
    prior = torch.tensor(said.facts["content_free_scores"])
    for answer in said.answers.values():
        assert answer.calibrated is not None
        expected = (torch.tensor(answer.scores) - prior).log_softmax(dim=-1)
        torch.testing.assert_close(torch.tensor(answer.calibrated), expected, atol=1e-5, rtol=0)
        assert answer.predicted == max(range(2), key=lambda label: answer.scores[label]), "raw is primary"


def test_p22_shown_examples_come_from_train_and_are_never_those_asked(
    make_cell: MakeCell, write_rows: WriteRows, tmp_path: Path
) -> None:
    labels = ("negative", "positive")
    dev = [{"text": f"asked {n}", "label": labels[n % 2]} for n in range(6)]
    own = [{"text": f"shown {n}", "label": labels[n % 2]} for n in range(4)]
    write_rows("dev", dev)
    write_rows("train", [{**row, "text": f"  {row['text'].upper()} "} for row in dev] * 5 + own)
    for seed in range(3):
        case = msgspec.structs.replace(make_cell("decoder few-shot"), seed=seed)
        facts = do(case, tmp_path / str(seed)).facts
        assert all(text.startswith("shown") for text, *_ in facts["shots"])


def test_p23_a_model_that_cannot_be_told_from_the_majority_share_is_flagged() -> None:
    # A third of three labels each, as small models answer NLI: 35 % of 500.
    gold = [n % 3 for n in range(500)]
    predicted = [label if n % 20 < 7 else (label + 1) % 3 for n, label in enumerate(gold)]
    metrics = compute_metrics(gold, predicted, [0.4] * 500, n_labels=3)
    assert metrics.accuracy == 0.35
    assert is_near_majority([metrics])


def changes() -> dict[str, dict[str, Any]]:
    return {
        "weights": {"weights_identity": "repo@other"},
        "precision": {"precision": "bfloat16"},
        "training": {"train": TrainSettings(lr=3e-5)},
        "rows": {"subset": Subset(train=8)},
        "rows drawn": {"subset": Subset(seed=1)},
        "shots": {"shots": 4},
        "seed": {"seed": 1},
    }


@pytest.mark.parametrize("change", changes())
def test_p25_answers_of_another_model_or_setting_are_never_taken_for_these(
    change: str, make_cell: MakeCell
) -> None:
    experiment = make_cell("decoder few-shot")
    assert msgspec.structs.replace(experiment, **changes()[change]).key != experiment.key


def test_p25_the_prompt_and_the_data_are_part_of_the_key_and_the_place_of_the_weights_is_not(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell("decoder few-shot")
    assert with_words(experiment, negative="bad", positive="good").key != experiment.key
    data = msgspec.structs.replace(experiment.data, identity="other bytes")
    assert msgspec.structs.replace(experiment, data=data).key != experiment.key
    assert with_weights(experiment, tmp_path).key == experiment.key
    assert isinstance(experiment.model.weights, LocalWeights)


def test_p15_a_pair_read_by_a_decoders_head_has_one_bos_too(standin: dict[str, Path]) -> None:
    tokenizer = load_tokenizer(standin[GEMMA])
    (row,) = encode_texts(tokenizer, [FILM], 256).rows
    assert (row["input_ids"][0], row["input_ids"].count(tokenizer.bos_token_id)) == (
        tokenizer.bos_token_id,
        1,
    )


def test_p16_examples_of_a_run_are_the_same_whatever_was_asked_before(
    on_starter: MakeCase, tmp_path: Path
) -> None:
    session = Session(torch.device("cpu"))
    case = on_starter("decoder zero-shot", "rte", subset=Subset(dev=3))
    alone = do(case, tmp_path / "alone").answers
    do(on_starter("decoder few-shot", "sst2", subset=Subset(dev=2), shots=2), tmp_path / "before", session)
    said = do(case, tmp_path / "after", session)
    assert said.answers == alone
    assert len(said.of(ExampleSet)) == 1
