"""The volume guard: a list unlike the last one waits for somebody to look at it.

Held against each other are the recipients of the new run and those that the packs say
were published for the same month, else for the month before: in every region that has
such a pack, and in these regions together. Lists are cumulative (p26), recipients are
not: who meets a ground on the day, where they live then, is like with like. How far
they may be apart stands in `expectations/publication.yml`.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from komek.base import database, places
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.files import private_files, put
from komek.base.places import Home
from komek.publishing.packs import PACK_MANIFEST, month_folder
from komek.publishing.publication import Publication, current_publication, read_run

NATION = "nation"
TOLERANCE = places.EXPECTATIONS / "publication.yml"


@dataclass(frozen=True)
class VolumeTolerance:
    """How far a list may be from what is published; whole percent, recipients."""

    max_change_percent: int
    min_recipients: int

    def allows(self, before: int, now: int) -> bool:
        """Say whether a number of recipients may follow another."""
        is_small = max(before, now) < self.min_recipients
        return is_small or abs(now - before) * 100 <= before * self.max_change_percent


@dataclass(frozen=True)
class Change:
    """Recipients of a region, or of all compared ones: published, and of the new list.

    `where` is a region_kato or `nation`.
    """

    where: str
    before: int
    now: int
    allowed: bool

    @property
    def text(self) -> str:
        """The change for people."""
        percent = f" ({100 * (self.now - self.before) / self.before:+.1f}%)"
        shown = percent if self.before else ""
        return f"{self.where}: {self.before} -> {self.now} recipients{shown}"


def tolerance(file: Path = TOLERANCE) -> VolumeTolerance:
    """Read the tolerance.

    Raises:
        UsageError: the file is missing or wrong.
    """
    try:
        read = VolumeTolerance(
            **yaml.safe_load(file.read_text(encoding="utf-8"))["recipients"]
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UsageError(f"cannot read the tolerance {file}: {error}") from error
    for name, value in asdict(read).items():
        if type(value) is not int or value < 0:
            raise UsageError(f"{file}: {name} must be a whole number, not {value!r}")
    return read


def changes(home: Home, run_file: Path, official: bool) -> list[Change]:
    """Hold the list of a run against what is published.

    Args:
        home: the home the run is published in.
        run_file: the run's DuckDB file, with its marts.
        official: whether the run reads the law as the policy table does. Lists by
            different readings are not compared: publication keeps them apart.

    Returns:
        The nation, then each region; nothing where there is nothing to compare with.

    Raises:
        KomekError: what is published cannot be read.
        UsageError: the tolerance cannot be read.
    """
    publication = current_publication(home)
    month = read_run(run_file).list_month
    if month is None or publication is None or publication.official != official:
        return []
    before = _published(publication, (month - timedelta(days=1)).replace(day=1))
    before |= _published(publication, month)
    if not before:
        return []
    found = _recipients(run_file)
    now = {region: found.get(region, 0) for region in before}
    allowed = tolerance()
    return [
        Change(where, old, new, allowed.allows(old, new))
        for where, old, new in (
            (NATION, sum(before.values()), sum(now.values())),
            *((region, before[region], now[region]) for region in sorted(before)),
        )
    ]


def check_volume(
    home: Home, run_id: str, official: bool, override: str | None
) -> list[str]:
    """Let a filed run be published if its list is like the last, or overridden.

    What was compared is kept in `reports/<run_id>/validation/volume.json`.

    Args:
        home: the home the run is filed and published in.
        run_id: the run; its file is in `warehouse/runs`.
        official: whether the run reads the law as the policy table does.
        override: why the list may be published all the same, None if it may not.

    Returns:
        What was overridden, as `publication.volume:<region_kato or nation>`.

    Raises:
        StoppedError: the list is too far from what is published.
        KomekError: what is published cannot be read.
        UsageError: the tolerance cannot be read.
    """
    run_file = home.run_file(run_id)
    compared = changes(home, run_file, official)
    _report(home, run_id, compared, override)
    beyond = [change for change in compared if not change.allowed]
    if beyond and override is None:
        raise StoppedError(
            "publication: volume: the list is not like the one published: "
            + "; ".join(change.text for change in beyond)
            + f"; the run stays in {run_file} and nothing was published: if the list is"
            " right, run it again with --override REASON, or approve it in Airflow"
        )
    return [f"publication.volume:{change.where}" for change in beyond]


def check_regions(home: Home, run_id: str) -> None:
    """Refuse to publish a list of which every region is blocked: it would replace none.

    Raises:
        StoppedError: says what blocks how many; the run is filed.
    """
    run_file = home.run_file(run_id)
    with database.connect(run_file, read_only=True) as connection:
        causes = connection.execute(
            "select blocked_by, count(*) from marts.region_status"
            " where not exists (select 1 from marts.region_status"
            " where publication = 'published')"
            " group by blocked_by order by blocked_by nulls last"
        ).fetchall()
    if causes:
        raise StoppedError(
            "marts.region_status: every region is blocked ("
            + ", ".join(f"{cause}: {regions}" for cause, regions in causes)
            + f"); the run stays in {run_file} and nothing new was published: what was"
            " published before still stands"
        )


def _published(publication: Publication, month: date) -> dict[str, int]:
    """Return the recipients of a month's packs by region_kato."""
    found = {}
    for path in sorted(
        month_folder(publication.packs, month).glob(f"*/{PACK_MANIFEST}")
    ):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            found[path.parent.name] = int(manifest["recipients"])
        except (OSError, ValueError, KeyError, TypeError):
            raise KomekError(f"the manifest {path} is damaged") from None
    return found


def _recipients(run_file: Path) -> dict[str, int]:
    with database.connect(run_file, read_only=True) as connection:
        rows = connection.execute(
            "select region_kato, recipients from marts.region_status"
        ).fetchall()
    return dict(rows)


def _report(
    home: Home, run_id: str, compared: list[Change], override: str | None
) -> None:
    told: dict[str, Any] = {
        "override": override,
        "compared": [asdict(change) for change in compared],
    }
    path = home.report(run_id) / "validation" / "volume.json"
    with private_files():
        put(path, (json.dumps(told, indent=1) + "\n").encode())
