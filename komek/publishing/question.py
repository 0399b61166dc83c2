"""What a person sees who is asked whether a run may be published."""

import json
from pathlib import Path
from typing import Any

from komek.base import database
from komek.base.places import Home
from komek.publishing import volume
from komek.publishing.publication import WAREHOUSE, current_publication

_MOST_WARNINGS = 20


def question_lines(
    home: Home, run_file: Path, report: Path, official: bool
) -> list[str]:
    """Return, as Markdown, what is to be approved: counts, tenge, what is unusual.

    Args:
        home: where the run would be published.
        run_file: the run's DuckDB file, with its marts.
        report: the folder of its reports.
        official: whether it reads the law as the policy table does.

    Raises:
        KomekError: what is published cannot be read.
    """
    now = _regions(run_file)
    publication = current_publication(home)
    before = _regions(publication.folder / WAREHOUSE) if publication else {}
    standing = (
        f"published is run {publication.run.run_id}, as of {publication.run.as_of}"
        if publication
        else "nothing is published"
    )
    beyond = [
        change
        for change in volume.changes(home, run_file, official)
        if not change.allowed
    ]
    blocked = [
        f"- {region}: {row['blocked_by']}"
        for region, row in now.items()
        if row["blocked_by"]
    ]
    warnings = _warnings(report)
    return [
        f"Against the last publication ({standing}):",
        "",
        "| region | recipients | before | tenge | before | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *(
            _line(region, now.get(region), before.get(region))
            for region in sorted({*now, *before})
        ),
        *_section("Blocked", blocked),
        *_section("Unlike the last list", [f"- {change.text}" for change in beyond]),
        *_section("Warnings", [f"- {one}" for one in warnings[:_MOST_WARNINGS]]),
    ]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}: {'' if lines else 'none'}".rstrip(), "", *lines]


def _line(
    region: str, now: dict[str, Any] | None, before: dict[str, Any] | None
) -> str:
    shown = [
        f"{side[name]:,}" if side else "–"
        for name in ("recipients", "amount_total")
        for side in (now, before)
    ]
    return f"| {region} | {' | '.join(shown)} | {now['publication'] if now else ''} |"


def _regions(run_file: Path) -> dict[str, dict[str, Any]]:
    """Return the regions of a run; of one whose file is gone, none."""
    if not run_file.is_file():
        return {}
    names = ("recipients", "amount_total", "publication", "blocked_by")
    with database.connect(run_file, read_only=True) as connection:
        rows = connection.execute(
            f"select region_kato, {', '.join(names)} from marts.region_status"
            " order by region_kato"
        ).fetchall()
    return {region: dict(zip(names, row, strict=True)) for region, *row in rows}


def _warnings(report: Path) -> list[str]:
    found = []
    for stage in ("door", "result"):
        path = report / "validation" / f"{stage}.json"
        found += json.loads(path.read_text(encoding="utf-8"))["warnings"]
    return found
