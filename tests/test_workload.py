"""The work of an experiment is counted from its rows, its tokens and its steps, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from nlu_arena.dataref import resolve_data
from nlu_arena.hardware import Device
from nlu_arena.ownfile.draft import OwnFile, draft_task
from nlu_arena.plan import build_plan
from nlu_arena.profile import single_profile
from nlu_arena.registry import Registry, load_registry
from nlu_arena.shape import Shape
from nlu_arena.spec import Experiment, LoraSettings, Mode, Subset, TrainSettings
from nlu_arena.workload import (
    ADAPTED_SCORING,
    CLASSIFIER_LORA,
    CLASSIFYING,
    FINE_TUNING,
    FRAME_TOKENS,
    INSTRUCTION_TOKENS,
    LABEL_WORD_LORA,
    PROBE_ROWS,
    PROMPTING,
    SINGLE_TOKENS,
    Stage,
    Workload,
    count_changed,
    count_file_rows,
    count_rows,
    count_tokens,
    count_updated,
    count_workload,
    most_train_rows,
)
from tests.conftest import MakeExperiment
from tests.ownfile.files import write_reviews

GPU = Device(name="cuda:0", kind="cuda", title="GPU", memory_bytes=1, fast_bfloat16=True)
SHAPE = Shape(products=700, layers=2, width=8)
PROMPT = SINGLE_TOKENS + FRAME_TOKENS


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(autouse=True)
def small_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlu_arena.workload.find_shape", lambda model: SHAPE)


def hub(registry: Registry, model: str, task: str, mode: Mode, **block: int) -> Experiment:
    profile = single_profile(model, task, mode, data="hub", **block)
    (experiment,) = build_plan(profile, registry, [GPU], weights_identity=lambda model: model.name)
    return experiment


def counted(experiment: Experiment) -> Workload:
    workload = count_workload(experiment)
    assert workload is not None
    return workload


# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_hub_data_are_the_published_ones(registry: Registry) -> None:
    assert count_rows(hub(registry, "bert", "mnli", "fine-tune")) == (392_702, 9_815 + 9_832)
    assert count_rows(hub(registry, "gemma", "mnli", "zero-shot")) == (0, 9_815 + 9_832)


def test_limits_bound_train_and_each_dev_split(registry: Registry) -> None:
    experiment = hub(registry, "bert", "mnli", "fine-tune", limit=500, train_limit=512)
    assert count_rows(experiment) == (512, 1_000)


def test_rows_of_files_are_counted(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    assert count_rows(make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())) == (32, 21)


def test_a_tables_header_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("text\tlabel\nx\t1\ny\t0\n")
    (tmp_path / "a.jsonl").write_text("{}\n{}\n\n")
    assert count_file_rows(tmp_path / "a.tsv") == 2
    assert count_file_rows(tmp_path / "a.jsonl") == 2


def test_a_dev_split_by_a_rule_is_a_share_of_the_file(
    tmp_path: Path, make_experiment: MakeExperiment
) -> None:
    path = write_reviews(tmp_path / "reviews.csv", 60)
    task = draft_task(OwnFile(path, text="review", label="stars"), "reviews").task
    experiment = msgspec.structs.replace(
        make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings()),
        task=task,
        data=resolve_data(task, "hub"),
    )
    assert count_rows(experiment) == (48, 12)


def test_rows_of_a_parquet_file_are_those_it_names(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"text": ["a\nb"] * 7}), tmp_path / "a.parquet")
    assert count_file_rows(tmp_path / "a.parquet") == 7


def test_an_instruction_that_lists_many_labels_has_more_tokens(
    tmp_path: Path, make_experiment: MakeExperiment
) -> None:
    usual = make_experiment("decoder", tmp_path, "zero-shot")
    prompt = msgspec.structs.replace(usual.task.prompt, instruction="word " * 400)
    task = msgspec.structs.replace(usual.task, prompt=prompt)
    long = msgspec.structs.replace(usual, task=task)
    assert (count_tokens(usual)[0], count_tokens(long)[0]) == (45, 500)


def test_without_published_rows_or_with_files_that_are_gone_nothing_is_known(
    registry: Registry, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    experiment = hub(registry, "bert", "rte", "fine-tune")
    task = msgspec.structs.replace(experiment.task, published=None)
    assert count_workload(msgspec.structs.replace(experiment, task=task)) is None
    gone = make_experiment("decoder", tmp_path, "zero-shot")
    data = msgspec.structs.replace(gone.data, location=str(tmp_path / "gone"))
    assert count_workload(msgspec.structs.replace(gone, data=data)) is None


# ── Scoring ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_prompts_share_is_read_once(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    zero = counted(make_experiment("decoder", tmp_path, "zero-shot"))
    few = counted(make_experiment("decoder", tmp_path, "few-shot", shots=5))
    # One batch is padded to its longest row: three times the mean.
    assert zero.stages == (Stage(PROMPTING, "float32", INSTRUCTION_TOKENS + 21 * 3 * PROMPT, passes=1),)
    assert few.stages[0].tokens - zero.stages[0].tokens == 5 * PROMPT


def test_rows_are_scored_32_at_a_time_and_many_batches_need_little_padding(registry: Registry) -> None:
    stage = counted(hub(registry, "gemma", "sst2", "zero-shot")).stages[0]
    assert stage.passes == 28
    assert stage.tokens == pytest.approx(INSTRUCTION_TOKENS + 872 * PROMPT * (1 + 2 / 28))


def test_the_latency_probe_answers_two_texts_and_a_batch_of_32(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    probe = counted(make_experiment("decoder", tmp_path, "zero-shot")).probe
    assert PROBE_ROWS == 34
    tokens = INSTRUCTION_TOKENS + 34 * PROMPT * (1 + 2 / 2)
    assert probe == Stage(PROMPTING, "float32", pytest.approx(tokens), passes=2)


# ── Training ──────────────────────────────────────────────────────────────────────────────────────────


def test_fine_tuning_reads_every_row_each_epoch_and_updates_every_weight_each_step(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    train = TrainSettings(epochs=3, batch_size=10)
    tuned = counted(make_experiment("encoder", tmp_path, "fine-tune", train=train, precision="bfloat16"))
    # 32 rows are 4 steps an epoch, half as long again with their padding; the tiny model has 1000 weights.
    assert tuned.stages[0] == Stage(
        FINE_TUNING, "bfloat16", tokens=3 * 32 * 1.5 * SINGLE_TOKENS, passes=12, updated=12_000
    )
    # A classification head scores in float32.
    assert tuned.stages[1] == Stage(CLASSIFYING, "float32", tokens=21 * 3 * SINGLE_TOKENS, passes=1)
    assert tuned.changed == 1000


def test_of_a_large_vocabulary_those_weights_are_updated_that_the_training_reads(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    tuned = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())
    # Of the tiny model's 1000 weights 300 are embeddings, each of one width.
    narrow = SHAPE._replace(width=1)
    assert count_updated(tuned, narrow, tokens=25) == 700 + 30 * 5
    assert count_updated(tuned, narrow, tokens=10_000) == 1000
    adapted = make_experiment("encoder", tmp_path, "lora", train=TrainSettings(lora=LoraSettings()))
    assert count_updated(adapted, narrow, tokens=25) == count_changed(adapted, narrow)


def test_training_shares_the_prompts_prefix_within_a_step(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    train = TrainSettings(epochs=1, batch_size=8, lora=LoraSettings())
    adapted = counted(make_experiment("decoder", tmp_path, "lora", train=train, precision="bfloat16"))
    assert adapted.stages[0].pace == LABEL_WORD_LORA
    assert adapted.stages[0].tokens == 4 * INSTRUCTION_TOKENS + 32 * 1.5 * PROMPT
    assert (adapted.stages[1].pace, adapted.stages[1].precision) == (ADAPTED_SCORING, "bfloat16")


def test_an_adapter_below_a_head_reads_no_prompts(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    train = TrainSettings(epochs=1, lora=LoraSettings(head="classifier"))
    adapted = counted(make_experiment("encoder", tmp_path, "lora", train=train, precision="bfloat16"))
    assert adapted.stages[0].pace == CLASSIFIER_LORA
    assert adapted.stages[0].tokens == 32 * 3 * SINGLE_TOKENS
    assert (adapted.stages[1].pace, adapted.stages[1].precision) == (ADAPTED_SCORING, "float32")


def test_rows_held_out_are_scored_each_epoch_instead_of_trained(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    train = TrainSettings(epochs=2, held_out=0.25)
    tuned = counted(make_experiment("encoder", tmp_path, "fine-tune", train=train))
    # 24 rows in one batch; 21 and twice 8 in two.
    assert [stage.tokens / SINGLE_TOKENS for stage in tuned.stages] == [2 * 24 * 3, (21 + 2 * 8) * 2]


def test_training_sorts_rows_within_pools_of_16_batches(registry: Registry) -> None:
    train = counted(hub(registry, "bert", "sst2", "fine-tune")).stages[0]
    assert train.tokens == 3 * 67_349 * SINGLE_TOKENS * (1 + 2 / 16)


def test_work_grows_with_rows_and_epochs(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    def work(epochs: int, rows: int) -> float:
        train = TrainSettings(epochs=epochs)
        subset = Subset(train=rows, dev=rows)
        experiment = make_experiment("encoder", tmp_path, "fine-tune", train=train, subset=subset)
        return sum(stage.tokens for stage in counted(experiment).stages)

    assert work(1, 8) < work(2, 8) < work(2, 16)


def test_a_text_is_no_longer_than_it_may_be(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    train = TrainSettings(epochs=1, max_length=8)
    assert (
        counted(make_experiment("encoder", tmp_path, "fine-tune", train=train)).stages[0].tokens == 3 * 32 * 8
    )


def test_the_weights_of_an_adapter_follow_its_rank(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    def changed(train: TrainSettings | None, mode: Mode) -> int:
        return count_changed(make_experiment("decoder", tmp_path, mode, train=train), SHAPE)

    assert changed(None, "zero-shot") == 0
    assert changed(TrainSettings(), "fine-tune") == 1000
    assert changed(TrainSettings(lora=LoraSettings(rank=4)), "lora") == 18 * 8 * 2 * 4


def test_many_labels_are_read_behind_each_prompt_and_scored_against_the_whole_vocabulary(
    make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    few = make_experiment("decoder", tmp_path, "zero-shot", subset=Subset(dev=10))
    # 20 labels of two words each: one of them is read, and predicts at a place of its own.
    names = tuple(f"word {number:03}" for number in range(20))
    prompt = msgspec.structs.replace(few.task.prompt, words={name: name for name in names})
    task = msgspec.structs.replace(few.task, labels=names, prompt=prompt)
    many = msgspec.structs.replace(few, task=task)
    before, after = count_workload(few), count_workload(many)
    assert before is not None
    assert after is not None
    scored, output = after.stages
    assert scored.tokens == before.stages[0].tokens + 10 * 20
    share = (many.model.parameters - after.shape.products) / after.shape.products
    assert (output.tokens, output.precision) == (10 * (1 + 20) * share, "float32")
    tuned = make_experiment("encoder", tmp_path, "fine-tune", train=TrainSettings())
    assert len(count_workload(msgspec.structs.replace(tuned, task=task)).stages) == 2  # type: ignore[union-attr]


def test_the_training_rows_of_a_file_are_no_more_than_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text,label\n"two\nlines",a\nmore,a\ntext,b\nagain,b\n')
    task = draft_task(OwnFile(path), "mine").task
    ref = resolve_data(task, "file")
    assert most_train_rows(task, ref) == 5
    path.unlink()
    count_file_rows.cache_clear()
    assert most_train_rows(task, ref) is None


def test_the_training_rows_of_the_hub_are_the_published_ones(registry: Registry) -> None:
    task = registry.task("rte")
    assert most_train_rows(task, resolve_data(task, "hub")) == 2_490
    unpublished = msgspec.structs.replace(task, published=None)
    assert most_train_rows(unpublished, resolve_data(task, "hub")) is None
