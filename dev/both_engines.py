"""Decide the same snapshots on DuckDB and on Spark, and compare every table.

    .spark/bin/python dev/both_engines.py --as-of D [D ...] [--policy P=V ...] DROP

The drop folder is decided in two homes, by the command: a day after the other, so that
each has the lists of those before. Prints of each day how long it took and whether all
tables are equal, row for row; exit status 1 where not.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from komek.base.places import Home
from komek.runs.run import ENGINES
from komek.trust.contents import contents_of


def decided(
    engine: str, day: str, policies: Sequence[str], drop: Path, home: Home
) -> float:
    """Run the command on an engine; return the seconds it took."""
    komek = Path(sys.executable).with_name("komek")
    started = time.perf_counter()
    subprocess.run(
        [
            *(komek, "run", "--as-of", day, "--engine", engine, "--json"),
            *("--drop", drop, "--home", home.root),
            *(word for policy in policies for word in ("--policy", policy)),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def compared(homes: Sequence[Home], run_id: str) -> str:
    """Say which tables of a run differ; nothing where all are equal."""
    ours, theirs = (contents_of(home.run_file(run_id)) for home in homes)
    return ", ".join(
        sorted(t for t in ours.keys() | theirs if ours.get(t) != theirs.get(t))
    )


def main() -> None:
    """Compare the engines on a drop folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--as-of", nargs="+", required=True)
    parser.add_argument("--policy", action="append", default=[])
    parser.add_argument("drop", type=Path)
    given = parser.parse_args()
    differ = False
    with tempfile.TemporaryDirectory(prefix="komek-engines-") as folder:
        homes = [Home(Path(folder, engine)) for engine in ENGINES]
        known: set[str] = set()
        for day in given.as_of:
            seconds = [
                decided(engine, day, given.policy, given.drop, home)
                for engine, home in zip(ENGINES, homes, strict=True)
            ]
            (run_id,) = {one for home in homes for one in home.run_ids()} - known
            known.add(run_id)
            other = compared(homes, run_id)
            took = ", ".join(
                f"{engine} {one:.0f} s"
                for engine, one in zip(ENGINES, seconds, strict=True)
            )
            said = f"differ: {other}" if other else "all tables are equal"
            print(f"{given.drop}: run {run_id}: {said} ({took})", flush=True)
            differ = differ or bool(other)
    sys.exit(int(differ))


if __name__ == "__main__":
    main()
