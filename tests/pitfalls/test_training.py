"""Pitfalls of fine-tuning and LoRA, P26 to P39: seen in runs on tiny models and in what they save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoModelForCausalLM

from nlu_arena.backend import adapter
from nlu_arena.backend.classify import ClassifierScorer
from nlu_arena.backend.optimizer import build_optimizer
from nlu_arena.backend.weights import load_tokenizer
from nlu_arena.errors import RunError
from nlu_arena.events import MetricPoint, Predictions
from nlu_arena.plan import build_plan
from nlu_arena.profile import load_profile
from nlu_arena.registry import Registry
from nlu_arena.spec import Experiment, HubWeights, TrainSettings
from tests.modes.runs import FULL, TRAINED, MakeCell, Transcript, do, start
from tests.pitfalls.conftest import with_weights
from tests.standin.checkpoints import BERT, DEBERTA, GEMMA, QWEN_SMALL
from tests.tiny import TEXTS
from tests.views.ledgers import CPU


def saved_weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = (folder / "best_model").glob("*.safetensors")
    return load_file(file)


def overwrite(folder: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    (file,) = (folder / "best_model").glob("*.safetensors")
    changed = {name: change(weight).contiguous() for name, weight in load_file(file).items()}
    save_file(changed, file, metadata={"format": "pt"})


def spoil(folder: Path, target: Path, word: str = "") -> Path:
    """Copy a decoder with one weight that is not a number: in every text, or in those with a word."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), load_tokenizer(folder)
    with torch.no_grad():
        if word:
            model.get_input_embeddings().weight[tokenizer(word)["input_ids"][-1], 0] = float("nan")
        else:
            model.base_model.norm.weight[0] = float("nan")
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_p26_a_half_precision_checkpoint_is_trained_in_float32(
    precision: str, make_cell: MakeCell, tiny_bert: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    AutoModel.from_pretrained(tiny_bert, dtype=torch.float16).save_pretrained(half)
    load_tokenizer(tiny_bert).save_pretrained(half)
    case = msgspec.structs.replace(make_cell("encoder fine-tune"), precision=precision)
    do(with_weights(case, half), tmp_path / "run")
    weights = saved_weights(tmp_path / "run")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    dense = weights["bert.encoder.layer.0.output.dense.weight"]
    assert not torch.equal(dense, dense.half().float()), "updates finer than the checkpoint's type are kept"


@pytest.mark.parametrize("cell", ["encoder fine-tune", "decoder zero-shot"])
def test_p27_float16_is_no_precision_that_an_experiment_can_have(cell: str, make_cell: MakeCell) -> None:
    document = msgspec.to_builtins(make_cell(cell)) | {"precision": "float16"}
    with pytest.raises(msgspec.ValidationError, match="float16"):
        msgspec.convert(document, Experiment)


def test_p27_a_training_whose_loss_is_not_finite_ends_and_saves_nothing(
    make_cell: MakeCell, tiny_llama: Path, tmp_path: Path
) -> None:
    case = with_weights(make_cell("decoder fine-tune"), spoil(tiny_llama, tmp_path / "spoilt"))
    with pytest.raises(RunError, match="not finite"):
        do(case, tmp_path / "run")
    assert not (tmp_path / "run" / "best_model").exists()


@pytest.mark.parametrize("word", ["", "🎵"])
def test_p28_a_decoder_whose_logits_are_not_finite_answers_nothing(
    word: str, make_cell: MakeCell, tiny_llama: Path, opinion_data: Path, tmp_path: Path
) -> None:
    with (opinion_data / "dev.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"text": "The bill 🎵", "label": "negative"}\n')
    case = with_weights(make_cell("decoder zero-shot"), spoil(tiny_llama, tmp_path / "spoilt", word))
    said = Transcript()
    with pytest.raises(RunError, match="not finite" if word else "."):
        start(case, tmp_path / "run", said.emit)
    assert not said.of(Predictions)


def test_p28_models_whose_attention_needs_it_run_eagerly(shipped: Registry) -> None:
    eager = {name for name, model in shipped.models.items() if model.attention == "eager"}
    assert eager == {"gemma-2b", "deberta-base"}


@pytest.fixture
def deberta_lora(make_cell: MakeCell, standin: dict[str, Path]) -> Experiment:
    """LoRA with a head on a DeBERTa, whose checkpoint has neither pooler nor head."""
    return with_weights(make_cell("encoder lora"), standin[DEBERTA], allow_pickle=True, attention="eager")


def test_p29_what_the_checkpoint_lacks_is_trained_and_saved_under_lora(
    deberta_lora: Experiment, tmp_path: Path
) -> None:
    new = {"classifier.bias", "classifier.weight", "pooler.dense.bias", "pooler.dense.weight"}
    found = []
    for epochs in (1, 2):
        train = msgspec.structs.replace(deberta_lora.train, epochs=epochs)
        facts = do(msgspec.structs.replace(deberta_lora, train=train), tmp_path / str(epochs)).facts
        assert set(facts["new_weights"]) == new
        saved = saved_weights(tmp_path / str(epochs))
        found.append({name: next(w for key, w in saved.items() if key.endswith(name)) for name in new})
    assert all(not torch.equal(found[0][name], found[1][name]) for name in new), (
        "an epoch more moves them all"
    )


def test_p29_a_new_weight_that_is_not_trained_fails_the_run(
    deberta_lora: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure = adapter.lora_config
    # As PEFT does by itself: the head is trained whole, the pooler is not.
    heads = ["classifier.weight", "classifier.bias"]
    monkeypatch.setattr(adapter, "lora_config", lambda settings, _: configure(settings, heads))
    with pytest.raises(RunError, match="would stay random, first pooler"):
        do(deberta_lora, tmp_path / "run")


@pytest.mark.parametrize("cell", TRAINED)
def test_p30_a_saved_model_that_reads_differently_fails_the_run(
    cell: str, make_cell: MakeCell, tmp_path: Path
) -> None:
    experiment = make_cell(cell)
    facts = do(experiment, tmp_path / "run").facts
    assert facts["reread_difference"] <= 1e-4
    overwrite(tmp_path / "run", lambda weight: weight + 0.1 * torch.randn_like(weight))
    with pytest.raises(RunError, match="other answers than the trained one"):
        do(experiment, tmp_path / "run")


def test_p31_the_adapter_is_on_every_linear_layer_and_the_head_is_trained_whole_and_once(
    make_cell: MakeCell, tmp_path: Path
) -> None:
    facts = do(make_cell("encoder lora"), tmp_path / "run").facts
    # Rank 4: in each of two layers four maps 32 -> 32 and two between 32 and 64; the pooler; the head.
    layers = 2 * (4 * 4 * (32 + 32) + 2 * 4 * (32 + 64)) + 4 * (32 + 32)
    assert facts["trainable_parameters"] == layers + 2 * 32 + 2
    names = list(saved_weights(tmp_path / "run"))
    assert not [name for name in names if "classifier" in name and "lora" in name]
    assert sum("classifier" in name for name in names) == 2


def test_p32_padding_changes_no_answer_of_a_decoders_head(
    make_cell: MakeCell, tiny_llama: Path, opinion_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "unpadded"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_llama), load_tokenizer(tiny_llama)
    model.config.pad_token_id, tokenizer.pad_token = None, None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    assert load_tokenizer(folder).pad_token == "<|end|>", "the token that ends a text pads here"
    with (opinion_data / "dev.jsonl").open("a") as file:
        file.write('{"text": "The bill <|end|><|end|>", "label": "negative"}\n')
    case, found = with_weights(make_cell("decoder fine-tune"), folder), {}
    for size in (32, 1):
        monkeypatch.setattr("nlu_arena.modes.evaluation.BATCH_SIZE", size)
        found[size] = do(case, tmp_path / "run").answers
    assert len(found[32]) == 22
    for index, answer in found[32].items():
        assert found[1][index].scores == pytest.approx(answer.scores, abs=1e-4)


def test_p33_the_loss_looks_at_one_token_of_each_prompt(make_cell: MakeCell, tmp_path: Path) -> None:
    facts = do(make_cell("decoder lora"), tmp_path / "run").facts
    assert facts["scoring"] == "first token"
    # By the gradient of the loss over four prompts, before training.
    assert facts["supervised_token_share"] * facts["probed_tokens"] == pytest.approx(4)
    assert facts["probed_tokens"] > 40


def test_p34_adapters_are_float32_on_a_bfloat16_base(make_cell: MakeCell, tmp_path: Path) -> None:
    case = msgspec.structs.replace(make_cell("decoder lora"), precision="bfloat16")
    assert do(case, tmp_path / "run").facts["adapter_dtype"] == "float32"
    assert {weight.dtype for weight in saved_weights(tmp_path / "run").values()} == {torch.float32}


def test_p35_running_out_of_memory_changes_neither_the_batch_nor_the_answers(
    make_cell: MakeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_cell("encoder fine-tune")
    # Without dropout, which draws anew for every micro-batch.
    folder = tmp_path / "still"
    weights = Path(experiment.model.weights.path)  # type: ignore[union-attr]
    AutoModel.from_pretrained(weights, hidden_dropout_prob=0, attention_probs_dropout_prob=0).save_pretrained(
        folder
    )
    load_tokenizer(weights).save_pretrained(folder)
    case = with_weights(experiment, folder)
    roomy = do(case, tmp_path / "roomy")

    def limit(name: str, rows_that_fit: int) -> None:
        method = getattr(ClassifierScorer, name)

        def limited(self: ClassifierScorer, rows: Sequence[Any], *rest: Any) -> torch.Tensor:
            if len(rows) > rows_that_fit:
                raise torch.OutOfMemoryError("out of memory")
            return method(self, rows, *rest)  # type: ignore[no-any-return]

        monkeypatch.setattr(ClassifierScorer, name, limited)

    limit("score", 5)
    small = do(case, tmp_path / "scoring")
    assert small.facts["micro_batch"] == 8, "scoring that does not fit leaves training alone"
    limit("loss", 3)
    tight = do(case, tmp_path / "training")
    assert (tight.facts["micro_batch"], tight.facts["out_of_memory_retries"]) == (2, 2)
    assert tight.facts["steps"] == roomy.facts["steps"]
    for other in (small, tight):
        for index, answer in roomy.answers.items():
            assert other.answers[index].scores == pytest.approx(answer.scores, abs=1e-3)


def test_p36_the_warm_up_is_a_share_of_the_steps_and_ends(make_cell: MakeCell, tmp_path: Path) -> None:
    for warmup in (500, 0.3):
        with pytest.raises(ValueError, match="share of the steps"):
            TrainSettings(warmup=warmup)
    rates = [
        p.value
        for p in do(make_cell("encoder fine-tune"), tmp_path / "run").of(MetricPoint)
        if p.name == "lr"
    ]
    assert max(rates) == pytest.approx(FULL.lr)
    assert rates.index(max(rates)) < 0.3 * len(rates)


def test_p37_rte_has_five_seeds_more_epochs_and_a_bias_corrected_optimiser(shipped: Registry) -> None:
    plan = build_plan(load_profile("full-seeds"), shipped, [CPU], weights_identity=lambda model: model.name)
    seeds: dict[tuple[str, str, str], set[int]] = {}
    for e in plan:
        seeds.setdefault((e.model.name, e.task.name, e.mode), set()).add(e.seed)
    for (_, task, mode), drawn in seeds.items():
        assert len(drawn) == (1 if mode == "zero-shot" else 5 if task == "rte" else 3)
    tuned = {e.task.name: e.train for e in plan if e.mode == "fine-tune" and e.train is not None}
    assert tuned["rte"].epochs >= 10
    assert {(t.clip, t.warmup) for t in tuned.values()} == {(1.0, 0.1)}
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = build_optimizer(torch.nn.ParameterList([weight]), TrainSettings(lr=0.01))
    weight.grad = torch.tensor([1e-3])
    optimizer.step()
    # Without the correction of Adam's biases the first step is 3.2 times as long.
    assert weight.item() == pytest.approx(-0.01, rel=1e-3)


def test_p38_no_model_starts_from_weights_tuned_on_a_task(shipped: Registry) -> None:
    for model in shipped.models.values():
        if isinstance(model.weights, HubWeights):
            words = set(model.weights.repo.lower().replace("/", "-").split("-"))
            assert not words & {"mnli", "rte", "sst2", "sst", "nli", "finetuned"}, model.name


@pytest.mark.parametrize("repository", [BERT, QWEN_SMALL, GEMMA])
def test_p39_a_loaded_tokenizer_gives_the_ids_that_its_own_file_gives(
    repository: str, standin: dict[str, Path], tmp_path: Path
) -> None:
    loaded = load_tokenizer(standin[repository])
    loaded.save_pretrained(tmp_path)
    file = Tokenizer.from_file(str(standin[repository] / "tokenizer.json"))
    for text in [*TEXTS, "It's 2024,\n\n  isn't\tit?  Ça va 很好 👍 3.14%"]:
        expected = file.encode(text).ids
        assert loaded(text)["input_ids"] == expected
        assert load_tokenizer(tmp_path)(text)["input_ids"] == expected, "saved beside a trained model too"


def test_p39_debertas_ids_are_those_of_its_sentencepiece_model(standin: dict[str, Path]) -> None:
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(standin[DEBERTA] / "spm.model"))
    tokenizer = load_tokenizer(standin[DEBERTA])
    for text in TEXTS:
        assert tokenizer(text)["input_ids"][1:-1] == pieces.encode(text)


BERT_PIECES = ["it", "'", "s", "20", "##24", ",", "isn", "'", "t", "it", "?", "[UNK]", "it"]
QWEN_PIECES = ["It", "'s", "Ġ", "2", "0", "2", "4", ",", "Ġis", "n", "'t", "Ġit", "?"]


def test_p39_the_rules_of_a_family_split_a_text_as_they_always_did(tmp_path: Path) -> None:
    bert = tmp_path / "bert"
    bert.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "'", "s", "20", "##24", ",", "isn", "t", "?"]
    (bert / "vocab.txt").write_text("\n".join(words) + "\n")
    (bert / "config.json").write_text('{"model_type": "bert"}')
    (bert / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}')
    ids = load_tokenizer(bert)("It's 2024, isn't it? 很 ÍT")["input_ids"]
    assert ids == [words.index(word) for word in ["[CLS]", *BERT_PIECES, "[SEP]"]]

    qwen = tmp_path / "qwen"
    qwen.mkdir()
    alphabet = ["<|endoftext|>", *"It'snui,?0123456789", "Ġ"]
    merges = ["I t", "' s", "' t", "Ġ i", "Ġi s", "Ġi t"]
    vocab = {piece: place for place, piece in enumerate([*alphabet, *(m.replace(" ", "") for m in merges)])}
    (qwen / "vocab.json").write_text(msgspec.json.encode(vocab).decode())
    (qwen / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (qwen / "config.json").write_text('{"model_type": "qwen2"}')
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "pad_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
    }
    (qwen / "tokenizer_config.json").write_text(msgspec.json.encode(settings).decode())
    ids = load_tokenizer(qwen)("It's 2024, isn't it?")["input_ids"]
    assert ids == [vocab[piece] for piece in QWEN_PIECES]
