"""Runs whose files are made by hand, published, and what is published then."""

import json

import duckdb

from finished_run import finish_run
from komek.base.places import Home
from komek.publishing.packs import is_whole
from komek.publishing.publish import publish

APRIL = "2020-04-01"


def quiet(_line: str) -> None:
    """Say nothing."""


def publish_run(home: Home, run_id: str, official: bool = True, **run: object) -> None:
    finish_run(home, run_id, **run)
    assert publish(home, run_id, official, quiet)


def pack_runs(home: Home) -> dict[str, str]:
    """Return the run of every published pack, all of them whole."""
    packs = sorted(home.published.glob("*/*"))
    assert all(is_whole(pack) for pack in packs)
    return {
        str(pack.relative_to(home.published)): json.loads(
            (pack / "manifest.json").read_text()
        )["run_id"]
        for pack in packs
    }


def warehouse_run(home: Home) -> str:
    with duckdb.connect(str(home.published_warehouse), read_only=True) as warehouse:
        return warehouse.execute("select run_id from marts.run").fetchone()[0]


def state_of(home: Home) -> tuple[str, dict[str, str]]:
    return warehouse_run(home), pack_runs(home)


def publications(home: Home) -> list[str]:
    return sorted(folder.name for folder in home.publications.iterdir())
