"""What a run is: what it decides for, what it may know, and the file it builds.

A run's id is a hash of all that determines its result: dates, code, law tables,
policies and the bytes of the snapshots. The same inputs give the same id.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from komek.base import policies
from komek.base.errors import KomekError
from komek.base.files import put
from komek.base.places import Home
from komek.base.scratch import RUN
from komek.runs.inputs import Inputs, inputs_from_json
from komek.runs.version import code_version

_BLOCKED = "blocked.json"
TAKEN = "taken.json"
_DURATIONS = "durations.json"
_OVERRIDDEN = "overridden"
_STOPPED = "stopped"
# What decides: DuckDB alone, or Apache Spark from the landed files up to the tables.
DUCKDB, SPARK = ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        as_of: the day the run decides for.
        known_at: the last day whose records it may use.
        policy_overrides: policy name to value, where set for this run.
        override: why tolerance checks may be passed over; None where they may not.
        publish_earlier: publish it although a later day is published; no part of the
            result.
        without: registries whose last snapshot it goes on with, since their pull for
            the day has not ended; no part of the result.
        engine: one of `ENGINES`; no part of the result.
    """

    as_of: date
    known_at: date
    policy_overrides: Mapping[str, str]
    override: str | None = None
    publish_earlier: bool = False
    without: tuple[str, ...] = ()
    engine: str = DUCKDB


@dataclass(frozen=True)
class Run:
    """A run being built: its request, identity and the snapshots it uses."""

    home: Home
    run_id: str
    request: Request
    code_version: str
    law_sha256: str
    started_at: datetime
    inputs: Inputs

    @property
    def folder(self) -> Path:
        """Where it is built."""
        return self.home.scratch / self.run_id

    @property
    def file(self) -> Path:
        """Its DuckDB file while it is built."""
        return self.folder / "run.duckdb"

    @property
    def policies(self) -> str:
        """Every policy and its value, as JSON."""
        return json.dumps(policies.policies_of_run(self.request.policy_overrides))

    @property
    def is_official(self) -> bool:
        """Whether it reads the law as the policy table does."""
        return not policies.deviates(self.request.policy_overrides)


def load(home: Home, run_id: str) -> Run:
    """Return a run that has begun, from its folder."""
    path = home.scratch / run_id / RUN
    if not path.exists():
        raise KomekError(f"run {run_id} is not being built in {home.root}")
    saved = json.loads(path.read_text(encoding="utf-8"))
    request = saved["request"]
    return Run(
        home=home,
        run_id=run_id,
        request=Request(
            as_of=date.fromisoformat(request["as_of"]),
            known_at=date.fromisoformat(request["known_at"]),
            policy_overrides=request["policy_overrides"],
            override=request["override"],
            publish_earlier=request["publish_earlier"],
            without=tuple(request["without"]),
            engine=request["engine"],
        ),
        code_version=saved["code_version"],
        law_sha256=saved["law_sha256"],
        started_at=datetime.fromisoformat(saved["started_at"]),
        inputs=inputs_from_json(saved["inputs"]),
    )


def note_overridden(run: Run, checks: Iterable[str]) -> None:
    """Keep in the run's folder which checks at the door were passed over."""
    (run.folder / _OVERRIDDEN).write_text("|".join(checks), encoding="utf-8")


def overridden(run: Run) -> str:
    """Return the checks at the door that were passed over, joined by `|`."""
    return (run.folder / _OVERRIDDEN).read_text(encoding="utf-8")


def note_blocked(run: Run, regions: Mapping[str, str]) -> None:
    """Keep in the run's folder which regions their own checks block, by which check."""
    put(run.folder / _BLOCKED, json.dumps(dict(regions)).encode())


def blocked(run: Run) -> dict[str, str]:
    """Return the regions that their own checks block, each with the check."""
    note = run.folder / _BLOCKED
    if not note.exists():
        return {}
    noted: dict[str, str] = json.loads(note.read_text(encoding="utf-8"))
    return noted


def taken(run: Run) -> list[str]:
    """Return the models whose tables were taken from a run before."""
    note = run.folder / TAKEN
    if not note.exists():
        return []
    noted: list[str] = json.loads(note.read_text(encoding="utf-8"))
    return noted


def note_duration(run: Run, step: str, seconds: float) -> None:
    """Keep in the run's folder how long a step took."""
    # A disk that is full may be what stopped it.
    with suppress(OSError):
        text = json.dumps(durations(run) | {step: round(seconds, 3)})
        put(run.folder / _DURATIONS, text.encode())


def durations(run: Run) -> dict[str, float]:
    """Return how long each step of a run took that has ended, in seconds."""
    try:
        noted: dict[str, float] = json.loads(
            (run.folder / _DURATIONS).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return noted


def note_stopped(run: Run, reason: str | None) -> None:
    """Keep in the run's folder what stopped its last step; None: nothing did."""
    note = run.folder / _STOPPED
    # A disk that is full may be what stopped it.
    with suppress(OSError):
        if reason is None:
            note.unlink(missing_ok=True)
        else:
            note.write_text(reason, encoding="utf-8")


def stopped(run: Run) -> str | None:
    """Return what stopped the run's last step; None where nothing did."""
    try:
        return (run.folder / _STOPPED).read_text(encoding="utf-8")
    except OSError:
        return None


def save(run: Run) -> None:
    """Keep what a run is in its folder, for the steps that follow."""
    saved = {
        "run_id": run.run_id,
        "request": _request(run.request),
        "code_version": run.code_version,
        "law_sha256": run.law_sha256,
        "started_at": run.started_at.isoformat(),
        "inputs": run.inputs.as_json(),
    }
    text = json.dumps(saved, indent=2, ensure_ascii=False) + "\n"
    # Whole or not at all: one that has it can go on.
    put(run.folder / RUN, text.encode())


def _request(request: Request) -> dict[str, Any]:
    return {
        "as_of": request.as_of.isoformat(),
        "known_at": request.known_at.isoformat(),
        "policy_overrides": dict(request.policy_overrides),
        "override": request.override,
        "publish_earlier": request.publish_earlier,
        "without": list(request.without),
        "engine": request.engine,
    }


def run_id_of(request: Request, inputs: Inputs) -> str:
    """Return the id of a run: its day, and a hash of all that determines its result."""
    determined_by = {
        "as_of": request.as_of.isoformat(),
        "known_at": request.known_at.isoformat(),
        "policies": policies.policies_of_run(request.policy_overrides),
        "override": request.override,
        "code": code_version(),
        "law": policies.law_sha256(),
        "inputs": inputs.as_json(),
    }
    text = json.dumps(determined_by, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{request.as_of:%Y%m%d}-{digest[:12]}"
