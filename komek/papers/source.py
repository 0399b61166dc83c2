"""What papers are made from: the publication that holds, open to be read.

The run's file is attached as `run`, the landed registers with it; working tables lie in
a file of their own, which spills beside itself and is deleted at the end.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from komek.base import database
from komek.base.database import text_literal
from komek.base.errors import KomekError, UsageError
from komek.base.places import TIME_ZONE, Home
from komek.papers.codes import code_of
from komek.papers.paper import Paper
from komek.papers.words import Words
from komek.publishing.publication import Publication, current_publication
from komek.publishing.workbook import Cell
from komek.runs import filed
from komek.trust.signoffs import SignOff, sign_offs

UNASSIGNED = "unassigned"
COUNTRY = "country"
_WORKING = "papers.duckdb"
# The act that approved the Rules; what words them now is in force by paragraph.
_RULES = "order_109"


@dataclass(frozen=True)
class Region:
    """A region of the papers; `blocked_by` says why its list is held back."""

    kato: str
    name: str
    blocked_by: str | None = None


@dataclass(frozen=True)
class Source:
    """A publication, its words in one language, and what is asked of it.

    Attributes:
        connection: has the run's file as `run`.
        publication: the publication.
        words: of the papers' language.
        month: the month that papers are of.
        regions: those that papers are of, in order.
        every_region: all that there are.
        is_one_region: whether one region was asked for.
        confirmed: the month's lists that their regions have confirmed.
    """

    connection: duckdb.DuckDBPyConnection
    publication: Publication
    words: Words
    month: date
    regions: Sequence[Region]
    every_region: Sequence[Region]
    is_one_region: bool
    confirmed: Sequence[SignOff] = ()

    @property
    def code(self) -> str:
        """What leads from a paper back to the publication."""
        return code_of(self.publication.name)

    @property
    def as_of(self) -> date:
        """The day the run decided for."""
        return self.publication.run.as_of

    @property
    def is_planned(self) -> bool:
        """Whether the run planned the sets of the month."""
        return self.publication.run.list_month == self.month

    @property
    def published(self) -> list[Region]:
        """The regions whose list is not held back."""
        return [region for region in self.regions if region.blocked_by is None]

    @property
    def katos(self) -> list[str]:
        """The codes of the regions."""
        return [region.kato for region in self.regions]

    def stem(self, kind: str, region: Region | None = None) -> str:
        """Return how a paper's files are named."""
        where = region.kato if region else COUNTRY
        return f"{kind}-{where}-{self.month:%Y-%m}-{self.words.lang}"

    def paper(
        self,
        kind: str,
        title: str,
        facts: Sequence[tuple[str, Cell]],
        region: Region | None = None,
        **more: Any,  # noqa: ANN401  (each is the paper's own)
    ) -> Paper:
        """Return a paper of this publication; `more` is what else it has."""
        return Paper(
            stem=self.stem(kind, region),
            folder=region.kato if region else COUNTRY,
            lang=self.words.lang,
            title=title,
            facts=facts,
            created=self.as_of,
            code=self.code,
            run_id=self.publication.run.run_id,
            **more,
        )

    def rows(self, query: str, values: object = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def head(
        self, paragraphs: Sequence[str], region: Region | None = None
    ) -> list[tuple[str, Cell]]:
        """Return what every paper says: whose, of when, by what order, of which run."""
        words = self.words
        facts: list[tuple[str, Cell]] = []
        if region is not None:
            facts.append((words("fact.region"), _named(region)))
        facts.append((words("fact.month"), words.month(self.month)))
        facts.append((words("fact.as_of"), self.as_of))
        facts.append((words("fact.order"), self._acts(paragraphs)))
        if paragraphs:
            facts.append((words("fact.paragraph"), self._paragraphs(paragraphs)))
        facts.append((words("fact.run_id"), self.publication.run.run_id))
        facts.append((words("fact.code"), self.code))
        if not self.publication.official:
            facts.append((words("fact.official"), words("fact.not_official")))
        facts += [
            (
                words("fact.confirmed", list_no=one.list_no),
                words(
                    "fact.confirmed_by",
                    who=one.who,
                    on=f"{one.at.astimezone(ZoneInfo(TIME_ZONE)):%d.%m.%Y}",
                    sha=one.list_sha256,
                ),
            )
            for one in self.confirmed
            if region is not None and one.region_kato == region.kato
        ]
        return facts

    def _acts(self, paragraphs: Sequence[str]) -> str:
        """Return the order that approved the Rules, and the one they are worded by."""
        lang = self.words.lang
        found = self.rows(
            f"select title_{lang}, act_id <> $rules as is_amending from run.law.acts"
            " where act_id = $rules or act_id in ("
            "select act_id from run.law.paragraphs_in_force"
            " where len($paragraphs) = 0 or list_contains($paragraphs, paragraph))"
            " order by is_amending, adopted_on",
            {"rules": _RULES, "paragraphs": list(paragraphs)},
        )
        approved, *worded = [str(title) for title, _ in found]
        said = self.words("label.approved_by", act=approved)
        return "; ".join(
            [said, *(self.words("label.worded_by", act=act) for act in worded)]
        )

    def _paragraphs(self, paragraphs: Sequence[str]) -> str:
        titles = dict(
            self.rows(
                f"select paragraph, any_value(title_{self.words.lang})"
                " from run.marts.law_coverage group by paragraph"
            )
        )
        return "; ".join(
            f"{paragraph.removeprefix('p')} «{titles.get(paragraph, '')}»"
            for paragraph in paragraphs
        )

    def place_sql(self, table: str, kato: str) -> str:
        """Return SQL for a place's name without the name of its region behind it."""
        name = self.words.name_sql(table)
        of_region = " ".join(
            f"when '{region.kato[:2]}' then {text_literal(f', {region.name}')}"
            for region in self.every_region
            if region.kato != UNASSIGNED
        )
        end = f"case left({kato}, 2) {of_region} end"
        plain = f"left({name}, length({name}) - length({end}))"
        return f"case when ends_with({name}, {end}) then {plain} else {name} end"

    def slices(self, table: str, keys: str) -> list[tuple[Any, ...]]:
        """Return the parts of a working table: the keys, the first place, the rows."""
        return self.rows(
            f"select {keys}, min(place), count(*) from {table} group by {keys}"
            " order by min(place)"
        )

    def name_people(self, table: str, people: str, **values: object) -> None:
        """Make a table of people as the register has them now.

        Args:
            table: its name; it gets `iin`, `name`, `address`, `kato`, `settlement`.
            people: SQL that selects their `iin`.
            values: what its parameters are.
        """
        okrug = self.words.name_sql("okrugs")
        unit = self.place_sql("units", "units.kato")
        self.connection.execute(
            f"""
            create or replace table {table} as
            with wanted as (select distinct iin from ({people})),
            places as (
                select
                    units.kato,
                    nullif(concat_ws(', ', {okrug}, {unit}), '') as settlement
                from run.facts.territories as units
                left join run.facts.territories as okrugs
                    on okrugs.kato = case
                        when units.kato not like '%000'
                            then concat(left(units.kato, 6), '000')
                    end
            )
            select
                persons.iin,
                concat_ws(' ', persons.last_name, persons.first_name,
                    persons.middle_name) as name,
                persons.address,
                persons.kato,
                persons.birth_date,
                places.settlement
            from run.staging.stg_persons as persons
            inner join wanted on persons.iin = wanted.iin
            left join places on persons.kato = places.kato
            """,
            values,
        )


def _named(region: Region) -> str:
    return f"{region.name} ({region.kato})" if region.name else region.kato


@contextmanager
def opened(
    home: Home,
    month: date | None,
    region_kato: str | None,
    lang: str,
    work: Path,
) -> Iterator[Source]:
    """Open the publication that holds.

    Args:
        home: where it is.
        month: the first day of the papers' month; None for the run's own, or the last
            that has lists.
        region_kato: one region; None for all.
        lang: `ru` or `kk`.
        work: a folder that gets the working files while they are needed.

    Raises:
        KomekError: nothing is published, or it cannot be read.
        UsageError: no such month or region in it.
    """
    publication = current_publication(home)
    if publication is None:
        raise KomekError(f"nothing is published in {home.root}")
    words = Words(lang)
    run_file = home.run_file(publication.run.run_id)
    with (
        TemporaryDirectory(prefix=".work-", dir=work) as folder,
        database.connect(Path(folder) / _WORKING) as connection,
        filed.attached(connection, run_file),
    ):
        regions = _regions(connection, words)
        if region_kato is not None and region_kato not in regions:
            raise UsageError(f"no region {region_kato!r} in what is published")
        chosen = _month(connection, publication, month)
        yield Source(
            connection,
            publication,
            words,
            chosen,
            [regions[region_kato]] if region_kato else list(regions.values()),
            list(regions.values()),
            region_kato is not None,
            [one for one in sign_offs(home, region_kato) if one.list_month == chosen],
        )


def _month(
    connection: duckdb.DuckDBPyConnection, publication: Publication, asked: date | None
) -> date:
    run = publication.run
    months = {
        month
        for (month,) in connection.execute(
            "select distinct list_month from run.marts.food_set_lists"
        ).fetchall()
    }
    months.add(run.list_month or run.as_of.replace(day=1))
    if asked is None:
        return run.list_month or max(months)
    if asked not in months:
        known = ", ".join(f"{month:%Y-%m}" for month in sorted(months))
        raise UsageError(f"no month {asked:%Y-%m} in what is published: {known}")
    return asked


def _regions(connection: duckdb.DuckDBPyConnection, words: Words) -> dict[str, Region]:
    """Return every region of the run, with or without anybody on a list, in order."""
    return {
        kato: Region(
            kato,
            words("place.unassigned") if kato == UNASSIGNED else words.place(ru, kk),
            blocked_by,
        )
        for kato, ru, kk, blocked_by in connection.execute(
            """
            with regions as (
                select kato from run.facts.territories where kato like '%0000000'
                union
                select region_kato from run.marts.region_status
                union
                select region_kato from run.marts.food_set_lists
            )
            select regions.kato, units.name_ru, units.name_kk, status.blocked_by
            from regions
            left join run.facts.territories as units on regions.kato = units.kato
            left join run.marts.region_status as status
                on regions.kato = status.region_kato
            where regions.kato is not null
            order by regions.kato
            """
        ).fetchall()
    }
