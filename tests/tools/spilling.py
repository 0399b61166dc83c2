"""Layers of a run in a process of their own, in as little memory as asked.

    python spilling.py HOME RUN_ID LAYER ...

says for each layer how many models began after something had been spilled. The bound is
KOMEK_MEMORY_LIMIT's; there is one thread, for each takes memory of its own.
"""

import sys
from pathlib import Path

import duckdb

from komek.base import database
from komek.base.places import Home
from komek.runs import build
from komek.runs.dbt_plugin import Plugin
from komek.runs.run import load


def main() -> None:
    """Build layers of a run that has begun."""
    root, run_id, *layers = sys.argv[1:]
    run = load(Home(Path(root)), run_id)
    spill = database.spill_beside(run.file)
    begun_after_spill: list[bool] = []

    class Watched(Plugin):
        def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
            super().configure_connection(conn)
            conn.execute("set threads = 1")

        def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
            super().configure_cursor(cursor)
            begun_after_spill.append(spill.exists())

    sys.modules[Plugin.__module__].Plugin = Watched
    for layer in layers:
        begun_after_spill.clear()
        build.layer(run, layer, docs=False)
        print(layer, sum(begun_after_spill), flush=True)


if __name__ == "__main__":
    main()
