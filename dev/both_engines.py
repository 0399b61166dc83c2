"""Decide the same snapshots on DuckDB and on Spark, and compare every table.

    .spark/bin/python dev/both_engines.py --as-of 2020-04-20 DROP [DROP ...]

Each drop folder is decided in two homes of its own, by the command. Prints of each how
long it took and whether all tables are equal, row for row; exit status 1 where not.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from komek.base.places import Home
from komek.runs.run import ENGINES
from komek.trust.contents import contents_of


def decided(engine: str, as_of: str, drop: Path, folder: Path) -> tuple[Home, float]:
    """Run the command on an engine; return the home, and the seconds it took."""
    home = folder / engine
    komek = Path(sys.executable).with_name("komek")
    started = time.perf_counter()
    subprocess.run(
        [
            *(komek, "run", "--as-of", as_of, "--engine", engine),
            *("--drop", drop, "--home", home, "--json"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Home(home), time.perf_counter() - started


def main() -> None:
    """Compare the engines on drop folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--as-of", required=True)
    parser.add_argument("drops", nargs="+", type=Path)
    given = parser.parse_args()
    differ = False
    for drop in given.drops:
        with tempfile.TemporaryDirectory(prefix="komek-engines-") as folder:
            homes, seconds = zip(
                *(decided(e, given.as_of, drop, Path(folder)) for e in ENGINES),
                strict=True,
            )
            (run_id,) = {run_id for home in homes for run_id in home.run_ids()}
            ours, theirs = (contents_of(home.run_file(run_id)) for home in homes)
        other = sorted(t for t in ours.keys() | theirs if ours.get(t) != theirs.get(t))
        took = ", ".join(
            f"{engine} {one:.0f} s"
            for engine, one in zip(ENGINES, seconds, strict=True)
        )
        said = f"{other} differ" if other else f"all {len(ours)} tables are equal"
        print(f"{drop}: run {run_id}: {said} ({took})")
        differ = differ or bool(other)
    sys.exit(int(differ))


if __name__ == "__main__":
    main()
