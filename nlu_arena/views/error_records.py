"""The mistakes on a task as records for other programs: the JSON document, and lines for pipes and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nlu_arena.calibration import ReadColumns, probabilities_of
from nlu_arena.mistakes.replies import Reply, read_scores
from nlu_arena.mistakes.review import Review
from nlu_arena.views.text import clean, escape_json
from nlu_arena.views.tsv import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 1
SLICE_COLUMNS = ("split", "kind", "slice", "n", "contender", "error_rate", "low95", "high95")
CONFUSION_COLUMNS = ("split", "contender", "gold", "predicted", "answers")


def answer_columns(reviews: Sequence[Review]) -> list[str]:
    """Return the columns of `answer_records`."""
    texts = ["premise", "hypothesis"] if _are_pairs(reviews) else ["text"]
    head = ["split", "index", *texts, "genre", "gold", "contender", "model", "mode", "seeds", "seeds_wrong"]
    return [*head, "wrong", "predicted", "confidence", *_chance_columns(reviews[0])]


def answer_records(reviews: Sequence[Review], read_columns: ReadColumns) -> Iterator[Record]:
    """Return a record for every listed example and contender: its answer, the probability of each label."""
    for review in reviews:
        labels = review.round.labels
        columns = _chance_columns(review)
        scores = [_read_listed(reply, review, read_columns) for reply in review.replies]
        chances = [probabilities_of(s, len(labels)).reshape(s.shape).mean(axis=0) for s in scores]
        for row, place in enumerate(review.listed):
            head = _example_record(review, place)
            for reply, shares in zip(review.replies, chances, strict=True):
                answer = _answer_record(reply, place, labels)
                rounded = (round(share, 6) for share in shares[row].tolist())
                yield head | answer | dict(zip(columns, rounded, strict=True))


def slice_records(reviews: Sequence[Review]) -> Iterator[Record]:
    """Return a record for every slice and contender."""
    for review in reviews:
        for part in review.slices:
            for reply, rate in zip(review.replies, part.rates, strict=True):
                yield {
                    "split": review.round.split,
                    "kind": part.slice.kind,
                    "slice": part.slice.name,
                    "n": part.n,
                    "contender": reply.contender.name,
                    "error_rate": round(rate.share, 6),
                    "low95": round(rate.interval[0], 6),
                    "high95": round(rate.interval[1], 6),
                }


def confusion_records(reviews: Sequence[Review]) -> Iterator[Record]:
    """Return a record for every contender and pair of labels that occurs."""
    for review in reviews:
        labels = review.round.labels
        for reply in review.replies:
            for gold, row in enumerate(reply.confusions.tolist()):
                for predicted, count in enumerate(row):
                    if count:
                        yield {
                            "split": review.round.split,
                            "contender": reply.contender.name,
                            "gold": labels[gold],
                            "predicted": labels[predicted],
                            "answers": count,
                        }


def document_lines(reviews: Sequence[Review], read_columns: ReadColumns) -> Iterator[str]:
    """Return what `errors --json` says, an example a line: fields are only ever added."""
    question, first = reviews[0].question, reviews[0].round
    head = {
        "schema": SCHEMA,
        "task": first.task,
        "labels": first.labels,
        "set": question.of_set if question.only is None else None,
        "only": question.only,
        "not": question.other,
        "gold_labels": question.labels,
        "total": sum(len(review.listed) for review in reviews),
        "splits": [_split_record(review) for review in reviews],
        "contenders": [record for review in reviews for record in _contender_records(review)],
        "sets": [
            {"split": review.round.split, "name": name, "n": count}
            for review in reviews
            for name, count in review.sets.items()
        ],
        "slices": list(slice_records(reviews)),
        "confusions": [
            {"split": r.round.split, "contender": x.contender.name, "counts": x.confusions.tolist()}
            for r in reviews
            for x in r.replies
        ],
    }
    yield f'{_write(head)[:-1]}, "examples": ['
    before = ""
    for record in _examples(reviews, read_columns):
        yield f"{before}{_write(record)}"
        before = ","
    yield "]}"


def _examples(reviews: Sequence[Review], read_columns: ReadColumns) -> Iterator[dict[str, Any]]:
    """Return each listed example with all answers to it and the scores of every seed."""
    for review in reviews:
        scores = [_read_listed(reply, review, read_columns) for reply in review.replies]
        for row, place in enumerate(review.listed):
            answers = [
                _answer_record(reply, place, review.round.labels) | {"scores": each[:, row].tolist()}
                for reply, each in zip(review.replies, scores, strict=True)
            ]
            yield _example_record(review, place) | {"answers": answers}


def _read_listed(reply: Reply, review: Review, read_columns: ReadColumns) -> NDArray[Any]:
    return read_scores(reply.contender, review.round.split, review.listed, read_columns)


def _example_record(review: Review, place: int) -> dict[str, Any]:
    example = review.examples[place]
    texts = {"text": example.text} if example.pair is None else {}
    if example.pair is not None:
        texts = {"premise": example.text, "hypothesis": example.pair}
    gold = review.round.labels[example.label]
    return {"split": review.round.split, "index": place, **texts, "genre": example.genre, "gold": gold}


def _answer_record(reply: Reply, place: int, labels: Sequence[str]) -> dict[str, Any]:
    seeds = len(reply.contender.cells)
    return {
        "contender": reply.contender.name,
        "model": reply.contender.model,
        "mode": reply.contender.mode,
        "seeds": seeds,
        "seeds_wrong": round(float(reply.wrong_share[place]) * seeds),
        "wrong": bool(reply.wrong[place]),
        "predicted": labels[int(reply.predicted[place])],
        "confidence": round(float(reply.confidence[place]), 6),
    }


def _split_record(review: Review) -> dict[str, Any]:
    met = review.round
    return {
        "split": met.split,
        "fingerprint": met.fingerprint,
        "n": met.n,
        "counted": int(review.counted.sum()),
        "data_source": met.data_source,
        "other_texts": [
            {"fingerprint": other.fingerprint, "n": other.n, "data_source": other.data_source}
            for other in review.others
        ],
    }


def _contender_records(review: Review) -> Iterator[dict[str, Any]]:
    for reply, rate in zip(review.replies, review.rates, strict=True):
        contender = reply.contender
        yield {
            "split": review.round.split,
            "name": contender.name,
            "model": contender.model,
            "mode": contender.mode,
            "family": "encoder" if contender.is_encoder else "decoder",
            "seeds": contender.seeds,
            "runs": [cell.run_id for cell in contender.cells],
            "wrong": int((reply.wrong & review.counted).sum()),
            "error_rate": round(rate.share, 6),
            "interval": [round(end, 6) for end in rate.interval],
            "alarms": contender.alarms,
        }


def _chance_columns(review: Review) -> list[str]:
    return [f"p({clean(label)})" for label in review.round.labels]


def _are_pairs(reviews: Sequence[Review]) -> bool:
    return any(example.pair is not None for review in reviews for example in review.examples)


def _write(record: dict[str, Any]) -> str:
    return escape_json(json.dumps(record, allow_nan=False, ensure_ascii=False))
