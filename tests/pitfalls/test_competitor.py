"""The defects of the nearest existing system, B1 to B17: none of them is possible here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.data import read_examples
from nlu_arena.backend.encode import PromptEncoder, encode_texts
from nlu_arena.backend.score import LabelScorer
from nlu_arena.backend.train import hold_out
from nlu_arena.backend.weights import load_classifier, load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.events import ExampleSet, Facts, MetricPoint, Predictions
from nlu_arena.hardware import Device
from nlu_arena.ledger.queries import Reader
from nlu_arena.paths import ledger_path
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile
from nlu_arena.prompts import plain_prompt
from nlu_arena.registry import Registry
from nlu_arena.sample import draw_shots
from nlu_arena.spec import Example, Experiment, HubWeights, Subset
from tests.modes.runs import ADAPTER, MakeCell, Transcript, do, start
from tests.pitfalls.conftest import MakeCase, WriteRows, with_other_files, with_weights, with_words
from tests.views.ledgers import CPU, done, quick_plan, write_sweep

GPU = Device(name="cuda:0", kind="cuda", title="test", memory_bytes=2**34, fast_bfloat16=True)


def full_plan(registry: Registry, device: Device = CPU) -> list[Experiment]:
    return build_plan(load_profile("full"), registry, [device], weights_identity=lambda model: model.name)


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder zero-shot", "decoder lora"])
def test_b01_mnli_has_its_dev_splits_in_every_mode(cell: str, on_starter: MakeCase, tmp_path: Path) -> None:
    case = on_starter(cell, "mnli", subset=Subset(train=9, dev=3))
    if cell == "decoder lora":
        case = msgspec.structs.replace(case, train=msgspec.structs.replace(ADAPTER, max_length=400))
    said = do(case, tmp_path / "run")
    assert Counter(chunk.split for chunk in said.of(Predictions) for _ in chunk.rows) == {
        "matched": 3,
        "mismatched": 3,
    }


def test_b02_a_prompted_run_is_not_labelled_lora(tmp_path: Path) -> None:
    plan = [e for e in quick_plan() if e.mode in ("zero-shot", "few-shot")]
    write_sweep(tmp_path, plan, [done(0.7)] * len(plan))
    with Reader.open(ledger_path(tmp_path)) as reader:
        cells = reader.cells(1)
        folders = [reader.run(cell.run_id).folder for cell in cells if cell.run_id is not None]
    assert [cell.mode for cell in cells] == [e.mode for e in plan]
    assert len(folders) == len(plan)
    assert not any("lora" in folder for folder in folders)


def test_b03_bert_sees_a_pair_as_two_segments(
    tiny_bert: Path, on_starter: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, tokenizer = on_starter("encoder fine-tune", "rte"), load_tokenizer(tiny_bert)
    model = load_classifier(case.model, case.task, tiny_bert, torch.device("cpu")).model
    seen: list[dict[str, Any]] = []
    model.register_forward_pre_hook(lambda _module, _args, batch: seen.append(batch), with_kwargs=True)
    pairs = [Example(text="The film", pair="a dull book", label=0), Example(text="A", pair="B C D", label=1)]
    ClassifierScorer(model, tokenizer, "float32").score(encode_texts(tokenizer, pairs, 64).rows)
    (batch,) = seen
    for ids, segments in zip(batch["input_ids"].tolist(), batch["token_type_ids"].tolist(), strict=True):
        second = ids.index(tokenizer.sep_token_id) + 1
        length = len(ids) - ids.count(tokenizer.pad_token_id)
        assert segments[:length] == [0] * second + [1] * (length - second)


def test_b04_encoder_and_decoder_latencies_have_the_same_unit(make_cell: MakeCell, tmp_path: Path) -> None:
    found = [
        do(make_cell(cell), tmp_path / cell).facts["latency"]
        for cell in ("encoder fine-tune", "decoder zero-shot")
    ]
    assert [{size: set(record) for size, record in latency.items()} for latency in found] == [
        {size: {"p50_ms", "p95_ms", "p99_ms", "tokenize_p50_ms", "calls"} for size in ("1", "32")}
    ] * 2


def test_b05_host_memory_is_never_reported_as_the_devices(make_cell: MakeCell, tmp_path: Path) -> None:
    said = do(make_cell("decoder lora"), tmp_path / "run")
    memory = [peak for event in said.of(Facts) for peak in event.facts.get("memory", {}).values()]
    assert memory
    assert {value for peak in memory for value in peak.values()} == {None}


@pytest.mark.parametrize("words", [("no", "yes"), ("not good at all", "not bad")])
def test_b06_padding_and_the_prompt_have_no_part_in_the_loss(
    words: tuple[str, str], make_cell: MakeCell, tiny_llama: Path
) -> None:
    task = with_words(make_cell("decoder lora"), negative=words[0], positive=words[1]).task
    tokenizer = load_tokenizer(tiny_llama)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32).eval()
    texts = [Example(text="A", label=0), Example(text="The film is a warm and funny surprise " * 3, label=1)]
    encoded = PromptEncoder(tokenizer, task, "chat", 512).encode([], texts)
    losses = []
    for pad in (tokenizer.pad_token_id, 99):
        scorer = LabelScorer(model, encoded.labels, pad)
        together = scorer.loss(encoded.rows, [0, 1])
        alone = sum(scorer.loss([row], [gold]) for gold, row in enumerate(encoded.rows))
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)
        losses.append(together)
    torch.testing.assert_close(losses[0], losses[1])
    # What the loss is: of the answer's tokens alone, from a plain forward pass.
    (ids, *_), row = encoded.labels.ids, encoded.rows[0]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*row, *ids]])).logits[0].log_softmax(dim=-1)
        columns = logits[len(row) - 1, [label[0] for label in encoded.labels.ids]]
    steps = [float(logits[len(row) - 1 + place, token]) for place, token in enumerate(ids)]
    single = encoded.labels.single_position
    expected = -float(columns.log_softmax(dim=-1)[0]) if single else -sum(steps) / len(steps)
    assert float(scorer.loss([row], [0]).detach()) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder lora"])
def test_b07_the_epoch_is_picked_by_the_accuracy_that_the_model_really_has(
    cell: str, make_cell: MakeCell, opinion_data: Path, write_rows: WriteRows, tmp_path: Path
) -> None:
    experiment = make_cell(cell)
    rows = [msgspec.json.decode(line) for line in (opinion_data / "train.jsonl").read_text().splitlines()]
    _, held = hold_out(len(rows), 0.25, experiment.seed)
    # The dev split is the slice that is held out: its accuracy is the one that picked the epoch.
    write_rows("dev", [rows[index] for index in held])
    train = msgspec.structs.replace(experiment.train, held_out=0.25, epochs=3)
    said = do(with_other_files(msgspec.structs.replace(experiment, train=train)), tmp_path / "run")
    accuracies = said.facts["held_out_accuracy"]
    hits = sum(answer.predicted == answer.gold for answer in said.answers.values())
    assert hits / len(held) == max(accuracies) == accuracies[said.facts["selected_epoch"] - 1]


def test_b08_a_label_of_many_tokens_is_scored_to_its_end(make_cell: MakeCell, tmp_path: Path) -> None:
    case = with_words(make_cell("decoder zero-shot"), negative="entailment", positive="entailment not at all")
    said = do(case, tmp_path / "run")
    short, long = said.facts["label_tokens"]
    assert len(long) > 3
    folder = case.model.weights.path  # type: ignore[union-attr]
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert long[: len(short) - 1] == short[:-1], "one label begins the other"
    assert short[-1] == long[-1] == tokenizer.eos_token_id, "so its end is part of it"
    prompt = tokenizer(said.facts["prompt_example"], add_special_tokens=False)["input_ids"]
    sums = []
    for ids in (short, long):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([prompt + ids])).logits[0].float().log_softmax(dim=-1)
        sums.append(sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(ids)))
    expected = torch.tensor(sums).log_softmax(dim=-1).tolist()
    assert said.answers[0].scores == pytest.approx(expected, abs=1e-4)


def test_b08_prompts_too_long_for_the_model_are_refused_and_never_answered_by_default(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    said = Transcript()
    with pytest.raises(RunError, match="more than fit"):
        start(msgspec.structs.replace(make_cell("decoder few-shot"), shots=14), tmp_path / "run", said.emit)
    assert not said.of(Predictions)


def test_b09_the_settings_kept_beside_a_model_are_those_it_was_trained_with(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    case = make_cell("decoder lora")
    said = do(case, tmp_path / "run")
    assert case.train is not None
    about = msgspec.json.decode((tmp_path / "run" / "best_model" / "arena.json").read_bytes())
    adapter = msgspec.json.decode((tmp_path / "run" / "best_model" / "adapter_config.json").read_bytes())
    assert about["settings"] == msgspec.to_builtins(case.train)
    lora = about["settings"]["lora"]
    assert (adapter["r"], adapter["lora_alpha"], adapter["lora_dropout"]) == (
        lora["rank"],
        lora["alpha"],
        lora["dropout"],
    )
    rates = [point.value for point in said.of(MetricPoint) if point.name == "lr"]
    assert len(rates) == about["settings"]["epochs"] * 32 // about["settings"]["batch_size"]
    assert max(rates) == pytest.approx(about["settings"]["lr"])


@pytest.mark.parametrize("text", ["很好很好", "👍", ".", "<|end|>", '"', "{text} {pair}"])
def test_b10_a_text_that_says_nothing_to_a_model_is_scored_like_any_other(
    text: str, make_cell: MakeCell, write_rows: WriteRows, tmp_path: Path
) -> None:
    write_rows("dev", [{"text": text, "label": "positive"}, {"text": "A dull book", "label": "negative"}])
    answers = do(make_cell("decoder zero-shot"), tmp_path / "run").answers
    assert len(answers) == 2
    for answer in answers.values():
        assert not answer.tied
        assert answer.predicted == max(range(2), key=lambda label: answer.scores[label])


@pytest.mark.parametrize("task", ["sst2", "rte", "mnli"])
def test_b11_few_shot_asks_what_zero_shot_asks_in_the_same_words(task: str, shipped: Registry) -> None:
    spec = shipped.task(task)
    asked = Example(text="asked", label=0, pair="pair")
    shots = [Example(text=f"shown {label}", label=label, pair="pair") for label in range(len(spec.labels))]
    zero, few = plain_prompt(spec, [], asked), plain_prompt(spec, shots, asked)
    question = zero.removeprefix(spec.prompt.instruction)
    assert few.startswith(spec.prompt.instruction)
    assert few.endswith(question)
    for label in spec.labels:
        word = spec.prompt.words[label]
        assert f"{spec.prompt.cue} {word}\n" in few
        assert word in spec.prompt.instruction, "what is shown is what is asked for"


def test_b12_five_shots_of_two_classes_are_in_no_fixed_order() -> None:
    pool = [Example(text=f"text {n}", label=n % 2) for n in range(40)]
    draws = [tuple(shot.label for shot in draw_shots(pool, 2, 5, seed=seed)) for seed in range(30)]
    assert {sum(draw) for draw in draws} == {2, 3}
    assert {draw[-1] for draw in draws} == {0, 1}
    assert len(set(draws)) > 10


def test_b13_instruct_models_are_asked_through_their_templates_and_nothing_runs_in_float16(
    shipped: Registry,
) -> None:
    for device in (CPU, GPU):
        for experiment in full_plan(shipped, device):
            assert experiment.precision in ("float32", "bfloat16")
            assert (experiment.model.family == "decoder") == (experiment.model.prompt_style == "chat")


def test_b14_a_limit_takes_the_same_shuffled_rows_for_every_mode(
    make_cell: MakeCell, write_rows: WriteRows
) -> None:
    write_rows(
        "train", [{"text": f"text {n}", "label": ("negative", "positive")[n // 50]} for n in range(100)]
    )
    taken = [
        read_examples(msgspec.structs.replace(make_cell(cell), subset=Subset(train=20))).train
        for cell in ("encoder fine-tune", "decoder lora", "decoder lora with a head")
    ]
    assert taken[0] == taken[1] == taken[2]
    assert Counter(example.label for example in taken[0]) == {0: 10, 1: 10}
    assert {example.text for example in taken[0]} != {f"text {n}" for n in range(20)}


def test_b14_nothing_in_the_full_profile_trains_on_a_part_of_the_data(shipped: Registry) -> None:
    assert {e.subset.train for e in full_plan(shipped)} == {None}


def test_b15_the_two_sizes_of_qwen_are_of_one_generation(shipped: Registry) -> None:
    repositories = []
    for name in ("qwen-0.5b", "qwen-1.5b"):
        weights = shipped.model(name).weights
        assert isinstance(weights, HubWeights)
        repositories.append(weights.repo)
    assert repositories == ["Qwen/Qwen2-0.5B-Instruct", "Qwen/Qwen2-1.5B-Instruct"]


def test_b16_the_full_profile_warms_up_clips_and_keeps_the_last_epoch(shipped: Registry) -> None:
    trained = [e for e in full_plan(shipped) if e.train is not None]
    assert len(trained) == 12
    for experiment in trained:
        assert experiment.train is not None
        assert (experiment.train.warmup, experiment.train.clip, experiment.train.held_out) == (0.1, 1.0, 0.0)
        if experiment.task.name == "rte" and experiment.mode == "fine-tune":
            assert experiment.train.epochs >= 10
            assert experiment.train.max_length >= 256


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder few-shot"])
def test_b17_every_answer_is_kept_right_or_wrong_with_its_scores_and_its_text(
    cell: str, make_cell: MakeCell, tmp_path: Path
) -> None:
    said = do(make_cell(cell), tmp_path / "run")
    (dev,) = said.of(ExampleSet)
    assert sorted(said.answers) == list(range(len(dev.examples)))
    for index, answer in said.answers.items():
        assert answer.gold == dev.examples[index].label
        assert len(answer.scores) == 2


def test_b17_several_seeds_are_several_experiments(make_cell: MakeCell) -> None:
    case = make_cell("encoder fine-tune")
    assert len({msgspec.structs.replace(case, seed=seed).key for seed in range(5)}) == 5


def test_b10_a_model_that_is_not_a_number_leaves_no_label_behind(
    make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tiny_bert)
    with torch.no_grad():
        model.embeddings.LayerNorm.weight[0] = float("nan")
    model.save_pretrained(tmp_path / "spoilt")
    load_tokenizer(tiny_bert).save_pretrained(tmp_path / "spoilt")
    said = Transcript()
    with pytest.raises(RunError, match="not finite"):
        start(with_weights(make_cell("encoder fine-tune"), tmp_path / "spoilt"), tmp_path / "run", said.emit)
    assert not said.of(Predictions)
