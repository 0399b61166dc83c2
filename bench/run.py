"""The national benchmark: the pipeline, step by step, beside the floor.

    python bench/run.py --scale 1.0 [--folder bench/out]

Writes the demo nation (one snapshot date) and lands it once per scale, then runs the
pipeline from landed snapshots to published tables and packs, then the floor: one
hand-written DuckDB script that does the same staging checks and computes the same
tables from the same landed Parquet. Then the same snapshots once more: by another
policy and for the next day, and what compares and recomputes runs. Each runs in a
process of its own. Prints a table for the README: wall and CPU seconds, peak memory
(resident, of the process) per step.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from komek import pipeline
from komek.base import places
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.explain import render
from komek.explain.person import explain
from komek.publishing.publication import (
    WAREHOUSE,
    Publication,
    current_publication,
)
from komek.runs.run import Request
from komek.trust import events

AS_OF = date(2020, 4, 20)
AFTER = AS_OF + timedelta(days=1)
FIRST, POLICY, NEXT_DAY = "first", "policy", "next_day"
REQUESTS = {
    FIRST: Request(AS_OF, AS_OF, {}, "benchmark"),
    POLICY: Request(AS_OF, AS_OF, {"food_set.carer": "one_parent"}, "benchmark"),
    NEXT_DAY: Request(AFTER, AFTER, {}, "benchmark"),
}
SNAPSHOT = "2020-04-18"
# Where a run leaves what its steps took.
STEPS = "steps.json"
FLOOR = places.PROJECT / "tests" / "second_opinion" / "floor.py"
# The bar: three times the floor's wall time, and 45 s for what only starts up.
TIMES_FLOOR, START_UP = 3, 45
PUBLISH, RECEIPT, EVENTS, PACKS, LISTS = (
    "publish",
    "of it: receipt",
    "of it: events",
    "of it: packs",
    "of it: the lists for the next run",
)
# What keeps the lists of a month going and settles them (p26, p30).
OF_LISTS = (
    *("listed_before", "p26_newcomers", "p26_lists", "p26_sets", "p30_settled"),
    *("p30_reconciliation", "food_set_lists", "list_reconciliation"),
)


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_gib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def _cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )


def measure(label: str, act: Callable[[], object]) -> dict[str, float | str]:
    """Return wall and CPU seconds and peak memory (GiB) of an act, with its label."""
    _reset_peak()
    started, cpu = time.perf_counter(), _cpu()
    act()
    return {
        "step": label,
        "wall": time.perf_counter() - started,
        "cpu": _cpu() - cpu,
        "peak": _peak_gib(),
    }


def _with_parts(
    whole: dict[str, float | str], parts: Sequence[dict[str, float | str]]
) -> dict[str, float | str]:
    """Return figures with the peak of what was measured by itself within, too.

    Where a part begins, the peak that the system keeps for the process begins anew.
    """
    return whole | {"peak": max(float(one["peak"]) for one in (whole, *parts))}


@contextmanager
def apart(module: object, name: str, label: str, parts: list[Any]) -> Iterator[None]:
    """Measure a function by itself while it is called from within a step."""
    act = getattr(module, name)

    def measured(*given: object, **named: object) -> object:
        results: list[object] = []
        parts.append(measure(label, lambda: results.append(act(*given, **named))))
        return results[0]

    setattr(module, name, measured)
    try:
        yield
    finally:
        setattr(module, name, act)


def run_pipeline(root: Path, name: str) -> list[dict[str, float | str]]:
    """Run from landed snapshots to packs; return what each step took."""
    home = Home(root)
    if name == FIRST:
        shutil.rmtree(home.warehouse, ignore_errors=True)
    request = REQUESTS[name]
    run_ids: list[str] = []

    def prepare() -> None:
        run_ids.append(pipeline.prepare(home, request))

    def quiet(_text: str) -> None:
        """Say nothing."""

    with writer_lock(home, "benchmark", quiet):
        steps = [measure("find the inputs, check their hashes", prepare)]
        steps += [
            measure(step.label, lambda step=step: step.act(home, run_ids[0], quiet))
            for step in pipeline.STEPS
        ]
        parts: list[Any] = []
        with (
            apart(pipeline, "write_receipt", RECEIPT, parts),
            apart(events, "completed", EVENTS, parts),
            apart(pipeline, "publish_run", PACKS, parts),
            apart(pipeline, "land_lists", LISTS, parts),
        ):
            whole = measure(PUBLISH, lambda: pipeline.publish(home, run_ids[0], quiet))
        steps += [_with_parts(whole, parts), *parts]
    return steps


def lists(root: Path) -> float:
    """Return the seconds that dbt took for the lists of the published run."""
    home = Home(root)
    run_id = _published(home).run.run_id
    found = [
        result
        for layer in ("facts", "law", "marts")
        for result in json.loads(
            (home.report(run_id) / "dbt" / f"run_results_{layer}.json").read_text(
                encoding="utf-8"
            )
        )["results"]
    ]
    return sum(
        result["execution_time"]
        for result in found
        if result["unique_id"].rpartition(".")[2] in OF_LISTS
    )


def audited(root: Path) -> float:
    """Ask the lineage for the source rows of a recipient; return the seconds."""
    with duckdb.connect(
        _published(Home(root)).folder / WAREHOUSE, read_only=True
    ) as connection:
        (iin,) = connection.execute(
            "select max(iin) from marts.food_set_recipients"
        ).fetchone() or ("",)
        started = time.perf_counter()
        connection.execute(
            "select entity, file, row_number, paragraph from marts.lineage"
            " where table_name = 'food_set_recipients' and row_key = ?",
            [iin],
        ).fetchall()
        return time.perf_counter() - started


def _published(home: Home) -> Publication:
    publication = current_publication(home)
    if publication is None:
        sys.exit("nothing is published")
    return publication


def explained(root: Path) -> list[float]:
    """Explain people of every ground and outcome; return the seconds each took."""
    home = Home(root)
    warehouse = _published(home).folder / WAREHOUSE
    with duckdb.connect(warehouse, read_only=True) as connection:
        people = connection.execute(
            "select min(iin) from marts.food_set_decisions group by ground, outcome"
            " union select min(iin) from marts.payout_schedule"
            " union select min(iin) from marts.mse_findings order by all"
        ).fetchall()
    seconds = []
    for (iin,) in people:
        started = time.perf_counter()
        render(explain(home, iin), "en")
        seconds.append(time.perf_counter() - started)
    return seconds


def trust(steps: dict[str, float]) -> str:
    """Say what validation and receipts cost beside the decisions."""
    stage, door, *layers, result = (step.label for step in pipeline.STEPS)
    checked = steps[door] + steps[result]
    trusted = checked + steps[RECEIPT] + steps[EVENTS]
    decided = sum(steps[label] for label in (stage, *layers))
    return (
        f"decisions {decided:.1f} s; checks {checked:.1f}, receipt"
        f" {steps[RECEIPT]:.1f}, events {steps[EVENTS]:.1f}, together {trusted:.1f} s"
    )


def _land(root: Path, scale: float) -> None:
    home, drop = Home(root), root / "drop"
    if home.landing.is_dir():
        return
    komek = Path(sys.executable).with_name("komek")
    dates = ["--from", SNAPSHOT, "--to", SNAPSHOT]
    nation = [str(komek), "nation", str(drop), "--scale", str(scale), *dates]
    subprocess.run(nation, check=True)
    pull = [str(komek), "pull", "--drop", str(drop), "--home", str(root)]
    subprocess.run(pull, check=True)
    shutil.rmtree(drop)


def _child(*arguments: str, quiet: bool = False) -> dict[str, float | str]:
    """Run a process; return its wall and CPU seconds and peak memory (GiB)."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL if quiet else None
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    return {
        "step": "",
        "wall": time.perf_counter() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 2**20,
    }


def _run(root: Path, run: Sequence[str], name: str) -> dict[str, float | str]:
    """Run the pipeline in a process of its own; return what it took."""
    whole = _child(*run, name)
    return _with_parts(whole, _steps(root))


def _steps(root: Path) -> list[dict[str, float | str]]:
    """Return what each step of the last run took."""
    steps: list[dict[str, float | str]] = json.loads(
        (root / STEPS).read_text(encoding="utf-8")
    )
    return steps


def _row(label: str, figures: dict[str, float | str]) -> str:
    wall, cpu, peak = (figures[name] for name in ("wall", "cpu", "peak"))
    return f"| {label} | {wall:.1f} | {cpu:.1f} | {peak:.1f} |"


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "out")
    parser.add_argument("--run", choices=REQUESTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    root = (given.folder / f"scale-{given.scale}").resolve()
    if given.run:
        steps = run_pipeline(root, given.run)
        (root / STEPS).write_text(json.dumps(steps), encoding="utf-8")
        return
    root.mkdir(parents=True, exist_ok=True)
    _land(root, given.scale)
    scale = ["--scale", str(given.scale), "--folder", str(given.folder)]
    run = [__file__, *scale, "--run"]
    whole = _run(root, run, FIRST)
    floor_file = root / "by_hand.duckdb"
    floor_file.unlink(missing_ok=True)
    dates = ["--as-of", AS_OF.isoformat()]
    floor = _child(str(FLOOR), str(root), str(floor_file), *dates)
    print(
        f"\nScale {given.scale}, {os.cpu_count()} cores, "
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB, "
        f"{platform.machine()}, Python {platform.python_version()}\n"
    )
    print("| step | wall s | CPU s | peak GiB |\n| --- | ---: | ---: | ---: |")
    steps = _steps(root)
    for step in steps:
        print(_row(step["step"], step))
    print(_row("**the whole process**", whole))
    print(_row("**the floor**", floor))
    bar = TIMES_FLOOR * float(floor["wall"]) + START_UP
    print(
        f"\n{float(whole['wall']) / float(floor['wall']):.2f} times the floor; "
        f"the bar of {TIMES_FLOOR} x floor + {START_UP} s is {bar:.0f} s"
    )
    print(trust({step["step"]: step["wall"] for step in steps}))
    print(f"the lists of the month and their settlement: {lists(root):.1f} s")
    print(f"the source rows of one recipient: {audited(root):.2f} s")
    seconds = explained(root)
    print(f"{len(seconds)} people explained, each in {max(seconds):.2f} s or less\n")
    again(root, run, whole, floor)


def again(
    root: Path,
    run: Sequence[str],
    first: dict[str, float | str],
    floor: dict[str, float | str],
) -> None:
    """Decide from the same snapshots again, compare, recompute; print what it took."""
    home = Home(root)
    official = _published(home).run.run_id
    figures = {"another policy": _run(root, run, POLICY)}
    (other,) = {*home.run_ids()} - {official}
    figures["second run: the next day"] = second = _run(root, run, NEXT_DAY)
    at = ["--home", str(root)]
    figures["`diff` of the two policies"] = _child(
        *("-m", "komek", "diff", official, other, "--json"), *at, quiet=True
    )
    figures["`verify` of the first run"] = _child(
        *("-m", "komek", "verify", official), *at, quiet=True
    )
    print("| what | wall s | CPU s | peak GiB | times the floor |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for label, one in figures.items():
        times = float(one["wall"]) / float(floor["wall"])
        print(f"{_row(label, one)} {times:.2f} |")
    ratio = float(second["wall"]) / float(first["wall"])
    print(f"\nsecond run: {ratio:.2f} times the first")


if __name__ == "__main__":
    main()
