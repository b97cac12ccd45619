from __future__ import annotations

import json
import math

from nlu_arena.notices import SweepEvent
from nlu_arena.views.stream import JsonStream
from tests.views.ledgers import quick_plan


def test_each_event_is_one_json_object_with_time_key_and_experiment() -> None:
    plan = quick_plan()
    said: list[str] = []
    stream = JsonStream(said.append, {e.key: e for e in plan})
    stream.notify(SweepEvent("progress", 1.5, plan[0].key, plan[0].title, {"phase": "train", "done": 3}))
    (line,) = said
    assert "\n" not in line
    assert json.loads(line) == {
        "event": "progress",
        "at": "1970-01-01T00:00:01.500+00:00",
        "key": plan[0].key,
        "model": "minilm",
        "task": "sst2",
        "mode": "fine-tune",
        "seed": 42,
        "phase": "train",
        "done": 3,
    }


def test_a_number_that_json_does_not_have_is_null() -> None:
    said: list[str] = []
    JsonStream(said.append, {}).notify(SweepEvent("sweep_started", 0, "", "", {"seconds": math.nan}))
    document = json.loads(said[0], parse_constant=lambda name: name)
    assert (document["seconds"], document["key"]) == (None, None)
