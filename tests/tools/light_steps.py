"""Steps of a run that decide nothing, for tests of the schedule; Airflow loads it.

A run is begun as ever: claimed, its inputs found, its file laid out. Where something is
published in the home already, its steps do nothing then, and instead of publishing, a
line of `decided.jsonl` says what it would have decided from.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache, wraps
from typing import Any

from komek import pipeline
from komek.base import registries
from komek.base.places import Home
from komek.runs.run import load


def decided(home: Home) -> list[dict[str, Any]]:
    """Return what light runs would have decided, in order."""
    path = home.root / "decided.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def schedule_pulls(cron: str) -> None:
    """Have the clock start every pull when a test says."""
    given = tuple(replace(one, schedule=cron) for one in registries.entities())
    registries.entities = cache(lambda: given)


def lighten() -> None:
    """Put light steps in place of the pipeline's."""
    for name in ("stage", "check_door", "decide", "check_result"):
        setattr(pipeline, name, _unless_light(getattr(pipeline, name), _nothing))
    pipeline.publish = _unless_light(pipeline.publish, _note)


def _unless_light(
    step: Callable[..., Any], light: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(step)
    def act(home: Home, run_id: str, *more: Any, **named: Any) -> Any:
        is_light = home.current.exists() or (home.root / "light").exists()
        return (light if is_light else step)(home, run_id, *more, **named)

    return act


def _nothing(*_: object, **__: object) -> None:
    pass


def _note(home: Home, run_id: str, *_: object, **__: object) -> None:
    run = load(home, run_id)
    line = {
        "as_of": f"{run.request.as_of}",
        "known_at": f"{run.request.known_at}",
        "without": list(run.request.without),
        "inputs": {
            given.entity: [f"{given.snapshot_date}", given.revision]
            for given in run.inputs.snapshots
        },
    }
    with (home.root / "decided.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    shutil.rmtree(run.folder)
