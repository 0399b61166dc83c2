"""A month under the running scheduler, a day every few seconds, faults among them.

    python tests/tools/simulated_month.py --days 30 --folder /tmp/month

Every day the fifteen registries deliver and are pulled, side by side. On some days one
delivers late, or a damaged file, or is pulled twice, or sends a file of an earlier day
again. In the end each day must have been decided once for each change, on its own
day's snapshots, and whatever could not be is named.
"""

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from komek.base import registries
from komek.base.places import Home
from komek.runs.days import scheduled_days
from light_steps import decided
from real_airflow import RealAirflow, missing, postgres, real_airflow

FIRST = date(2020, 4, 1)
NAMES = [entity.name for entity in registries.entities()]
# What goes wrong on a day, by its number in the month; then again from the start.
KINDS = (
    "well",
    "twice",  # one registry is pulled twice
    "changed",  # one delivers the day again, once it is decided
    "damaged",  # one delivers what cannot be read, and never anything else
    "late",  # one delivers once the day is decided
    "old_again",  # one delivers the day before again
    "repaired",  # one delivers what cannot be read, and the next day what can
)


@dataclass
class Day:
    """A simulated day: what goes wrong on it, with which registry."""

    day: date
    kind: str
    registry: str
    pulls: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Month:
    """A simulation: its Airflow, its home, and the drop that it delivers to."""

    airflow: RealAirflow
    home: Home
    drop: Path

    def deliver(self, name: str, day: date, version: int = 1) -> None:
        """Deliver a registry's snapshot of a day."""
        column = registries.entity(name).column_names[0]
        folder = self.drop / name
        folder.mkdir(parents=True, exist_ok=True)
        text = f"{column}\n{version:012}\n"
        (folder / f"{day}.csv").write_text(text, encoding="utf-8")

    def damage(self, name: str, day: date) -> None:
        """Deliver what cannot be read."""
        folder = self.drop / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{day}.csv").write_bytes(b"\xff\xfe\x00")

    def pull(self, name: str, day: date) -> tuple[str, str]:
        """Pull a registry for a day; return the DAG and the run."""
        dag_id = f"pull_{name}"
        return dag_id, self.airflow.trigger(dag_id, partition_key=f"{day}")

    def wait(self, pulls: list[tuple[str, str]], seconds: float = 600) -> list[str]:
        """Return the states of pulls that have ended."""

        def ended() -> list[str] | None:
            states = [self.state(*pull) for pull in pulls]
            return states if set(states) <= {"success", "failed"} else None

        return list(self.airflow.wait(ended, "pulls", seconds))

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        return str(self.airflow.ask("GET", path)["state"])

    def decided(self, day: date) -> list[dict[str, Any]]:
        """Return the runs that have decided a day."""
        return [one for one in decided(self.home) if one["as_of"] == f"{day}"]

    def wait_for_runs(self, day: date, count: int) -> None:
        """Wait until a day has been decided as often."""
        self.airflow.wait(
            lambda: len(self.decided(day)) >= count, f"run {count} of {day}", 600
        )

    # What may go wrong on a day

    def play(self, one: Day, before: Day | None) -> None:
        """Let a day pass, and what goes wrong on it."""
        if before and before.kind == "repaired":
            self.deliver(before.registry, before.day)
        others = [name for name in NAMES if name != one.registry]
        if one.kind == "old_again":
            self.deliver(one.registry, one.day - timedelta(days=1), version=2)
        for name in others:
            self.deliver(name, one.day)
        if one.kind in ("damaged", "repaired"):
            self.damage(one.registry, one.day)
        elif one.kind != "late":
            self.deliver(one.registry, one.day)
        one.pulls = [self.pull(name, one.day) for name in NAMES]
        if one.kind == "twice":
            one.pulls.append(self.pull(one.registry, one.day))
        if one.kind in ("changed", "late"):
            self.wait(one.pulls)
            self.wait_for_runs(one.day, 1)
            self.deliver(one.registry, one.day, version=2)
            one.pulls.append(self.pull(one.registry, one.day))

    def expected(self, one: Day, last: date) -> int:
        """Return how often a day is to be decided: once, and once for each change.

        A day of which a registry has delivered nothing that can be read waits for it.
        """
        if one.kind == "damaged" or (one.kind == "repaired" and one.day == last):
            return 0
        return 2 if one.kind in ("changed", "late") else 1


def month(days: int, seed: int = 1) -> list[Day]:
    """Return the days of a month."""
    chance = random.Random(seed)
    return [
        Day(FIRST + timedelta(days=n), KINDS[n % len(KINDS)], chance.choice(NAMES))
        for n in range(days)
    ]


def simulate(folder: Path, days: list[Day], every: float) -> dict[str, Any]:
    """Play some days; return what came of them."""
    home, drop = Home(folder / "home"), folder / "drop"
    home.root.mkdir(parents=True)
    (home.root / "light").touch()
    with postgres(folder / "database") as port:
        database = f"postgresql+psycopg2://komek@127.0.0.1:{port}/postgres"
        with real_airflow(folder / "airflow", home.root, drop, database) as airflow:
            played = Month(airflow, home, drop)
            began = time.monotonic()
            for before, one in pairwise([None, *days]):
                started = time.monotonic()
                played.play(one, before)
                time.sleep(max(0.0, every - (time.monotonic() - started)))
            states = {f"{one.day}": played.wait(one.pulls, 1800) for one in days}
            last = days[-1].day
            for one in days:
                played.wait_for_runs(one.day, played.expected(one, last))
            settled(airflow)
            took = time.monotonic() - began
            return {
                "days": len(days),
                "seconds": round(took),
                "pulls": dict(Counter(s for each in states.values() for s in each)),
                "runs": dict(Counter(run["state"] for run in all_runs(airflow))),
                "wrong": wrong(played, days),
                "waiting": {
                    f"{found.day}": found.missing
                    for found in scheduled_days(home)
                    if found.missing
                },
            }


def all_runs(airflow: RealAirflow) -> list[dict[str, Any]]:
    """Return the runs of `eligibility`."""
    return airflow.runs("eligibility")


def settled(airflow: RealAirflow) -> None:
    """Wait until nothing is to come any more."""

    def quiet() -> bool:
        states = {run["state"] for run in all_runs(airflow)}
        return states <= {"success", "failed"}

    airflow.wait(quiet, "the last run", 1800)
    time.sleep(5)
    airflow.wait(quiet, "the last run", 1800)


def wrong(played: Month, days: list[Day]) -> list[str]:
    """Say what is not as it is to be."""
    found = []
    last = days[-1].day
    for one in days:
        runs, due = played.decided(one.day), played.expected(one, last)
        if len(runs) != due:
            found.append(
                f"{one.day} ({one.kind}): decided {len(runs)} times, not {due}"
            )
        for run in runs:
            if run["known_at"] != f"{one.day}":
                found.append(f"{one.day}: known at {run['known_at']}")
            later = [n for n, (d, _) in run["inputs"].items() if d > f"{one.day}"]
            if later:
                found.append(f"{one.day}: of a later day: {later}")
            others = [
                name
                for name, (day, _) in run["inputs"].items()
                if day != f"{one.day}" and name in NAMES and name != one.registry
            ]
            if others:
                found.append(f"{one.day}: of an earlier day: {others}")
        if runs and one.kind in ("changed", "late"):
            day, revision = runs[-1]["inputs"][one.registry]
            newest = [f"{one.day}", 2 if one.kind == "changed" else 1]
            if [day, revision] != newest:
                found.append(f"{one.day}: the change is not in the last run")
    repaired = [f"{one.day}" for one in days if one.kind == "repaired"]
    order = [
        run["as_of"] for run in decided(played.home) if run["as_of"] not in repaired
    ]
    if order != sorted(order):
        found.append(f"not in order: {order}")
    return found


def main() -> int:
    """Simulate a month; print what came of it."""
    parser = argparse.ArgumentParser(description="A month under the running scheduler.")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--every", type=float, default=5, help="seconds of a day")
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    if lacks := missing():
        print(lacks)
        return 2
    shutil.rmtree(arguments.folder, ignore_errors=True)
    came = simulate(arguments.folder, month(arguments.days), arguments.every)
    print(json.dumps(came, indent=1))
    return 1 if came["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
