"""p26: the list of a month as a region signs it, and its numbered supplements."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from komek.papers.paper import Cell, Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Region, Source

_PARAGRAPHS = ("p25", "p26")


def list_papers(source: Source) -> Iterator[Paper]:
    """Yield the list of the month of each region that has one, by district."""
    _gather(source)
    for region in source.regions:
        counts = _counts(source, region)
        if not counts["listed"]:
            continue
        words = source.words
        sections = [
            _district(source, district, first, rows)
            for _, district, first, rows in source.slices(
                f"(from listed where region_kato = '{region.kato}')",
                "district_kato, district",
            )
        ]
        yield source.paper(
            "list",
            words("title.list"),
            [*source.head(_PARAGRAPHS, region), *_numbers(source, region)],
            region,
            tables=[
                _by_district(source, region),
                _by_list(source, region),
                _totals(source, counts),
            ],
            sections=sections,
            signatures=_signatures(source),
            approval=words("sign.head"),
            notes=_held_back(source, region),
        )


def supplement_papers(source: Source) -> Iterator[Paper]:
    """Yield each supplement of each region: who was added, whose right ended.

    An end belongs to the first list drawn on its day or after; what ended since the
    last list is a paper of its own, without a number.
    """
    _gather(source)
    for region in source.regions:
        days = _list_days(source)
        for number, (since, until) in _windows(days).items():
            yield from _supplement(source, region, number, since, until)


def _windows(days: dict[int, date]) -> dict[int | None, tuple[date, date | None]]:
    """Return from after when until when ends belong to each supplement."""
    windows: dict[int | None, tuple[date, date | None]] = {}
    for number, on in days.items():
        if number > 1 and number - 1 in days:
            windows[number] = (days[number - 1], on)
    if days:
        windows[None] = (days[max(days)], None)
    return windows


def _supplement(
    source: Source, region: Region, number: int | None, since: date, until: date | None
) -> Iterator[Paper]:
    words = source.words
    in_region = f"region_kato = '{region.kato}'"
    ended = f"{in_region} and ended_on > date '{since}'"
    if until is not None:
        ended += f" and ended_on <= date '{until}'"
    parts = {
        "added": f"{in_region} and list_no = {number or 0}",
        "ended": f"{ended} and not is_served",
        "kept": f"{ended} and is_served",
    }
    sections = []
    for name, condition in parts.items():
        table = f"supplement_{name}_{region.kato}_{number or 'after'}"
        source.connection.execute(
            f"create or replace table {table} as select * replace"
            " (row_number() over (order by place) as number,"
            " row_number() over (order by place) - 1 as place)"
            f" from listed where {condition}"
        )
        ((rows, *_),) = source.rows(f"select count(*) from {table}")
        sections.append(_supplement_section(source, name, table, int(str(rows))))
    if not any(section.rows for section in sections):
        return
    title = words("title.supplement", number=number) if number else words("title.ends")
    facts: list[tuple[str, Cell]] = source.head(_PARAGRAPHS, region)
    if number:
        facts.append((words("fact.list_no"), number))
        facts.append((words("fact.list_on"), until or since))
    else:
        facts.append((words("fact.since_list"), since))
    yield source.paper(
        f"supplement-{number or 'ends'}",
        title,
        facts,
        region,
        tables=[
            Table(
                words("table.supplement"),
                (),
                [(section.title, section.rows) for section in sections],
            )
        ],
        sections=[section for section in sections if section.rows],
        signatures=_signatures(source),
        approval=words("sign.head"),
        notes=_held_back(source, region),
    )


def _supplement_section(source: Source, name: str, table: str, rows: int) -> Section:
    words = source.words
    columns = [
        *_person_columns(source)[:4],
        Column(words("heading.district"), 20, "district", is_free=True),
        *_person_columns(source)[4:],
    ]
    if name == "added":
        columns.append(_ground(source))
    else:
        columns += [
            Column(words("heading.list_no"), 10, "list_no", Kind.COUNT),
            Column(words("heading.ended_on"), 14, "ended_on", Kind.DATE),
            Column(
                words("heading.ended_reason"), 26, words.sql("reason", "ended_reason")
            ),
        ]
    if name == "kept":
        columns.append(Column(words("heading.kept"), 20, f"'{words('label.kept')}'"))
    return Section(
        words(f"section.{name}"),
        columns,
        table,
        0,
        rows,
        [(words("total.people"), rows)],
    )


def _gather(source: Source) -> None:
    """Make `listed`: the numbered rows of the month, as the register names them."""
    month = f"date '{source.month}'"
    source.name_people(
        "listed_people",
        f"select iin from run.marts.food_set_lists where list_month = {month}"
        f" and list_no is not null and region_kato in ({_quoted(source)})",
    )
    source.connection.execute(
        f"""
        create or replace table listed as
        with ordered as (
            select
                lists.*,
                coalesce({source.place_sql("districts", "lists.district_kato")},
                    lists.district_kato, '{source.words("place.no_district")}')
                    as district,
                people.name,
                people.birth_date,
                people.settlement,
                people.address,
                lists.delivery_status = 'delivered' as is_served,
                row_number() over (
                    partition by lists.region_kato, lists.district_kato
                    order by people.name nulls last, lists.iin
                ) as number
            from run.marts.food_set_lists as lists
            left join listed_people as people on lists.iin = people.iin
            left join run.facts.territories as districts
                on lists.district_kato = districts.kato
            where
                lists.list_month = {month}
                and lists.list_no is not null
                and lists.region_kato in ({_quoted(source)})
        )
        select
            *,
            row_number() over (
                order by region_kato, district_kato nulls first, number
            ) - 1 as place
        from ordered
        """
    )


def _quoted(source: Source) -> str:
    return ", ".join(f"'{kato}'" for kato in source.katos)


def _person_columns(source: Source) -> list[Column]:
    words = source.words
    return [
        Column("№", 6, "number", Kind.COUNT),
        Column(words("heading.name"), 30, "name", is_free=True),
        Column(words("heading.iin"), 15, "iin"),
        Column(words("heading.birth_date"), 12, "birth_date", Kind.DATE),
        Column(words("heading.settlement"), 24, "settlement", is_free=True),
        Column(words("heading.address"), 28, "address", is_free=True),
    ]


def _ground(source: Source) -> Column:
    words = source.words
    grounds = (
        "[primary_ground] || list_filter(string_split(grounds, '|'),"
        " lambda ground: ground <> primary_ground)"
    )
    return Column(words("heading.ground"), 28, words.all_sql("ground", grounds))


def _district(source: Source, district: str, first: int, rows: int) -> Section:
    words = source.words
    standing = (
        f"concat_ws('; ', {words.sql('standing', 'standing')},"
        f" strftime(ended_on, '%d.%m.%Y'), {words.sql('reason', 'ended_reason')})"
    )
    return Section(
        district,
        [
            *_person_columns(source),
            _ground(source),
            Column(words("heading.list_no"), 10, "list_no", Kind.COUNT),
            Column(words("heading.standing"), 20, standing),
        ],
        "listed",
        first,
        rows,
        [(words("total.district"), rows)],
    )


def _counts(source: Source, region: Region) -> dict[str, int]:
    """Return what the month's settlement counts of the region."""
    names = (
        "listed",
        "ended",
        "sets",
        "delivered",
        "failed",
        "returned",
        "outstanding",
        "withdrawn",
    )
    found = source.rows(
        f"select {', '.join(names)} from run.marts.list_reconciliation"
        " where list_month = $month and region_kato = $region",
        {"month": source.month, "region": region.kato},
    )
    values: Any = found[0] if found else (0,) * len(names)
    return dict(zip(names, values, strict=True))


def _totals(source: Source, counts: dict[str, int]) -> Table:
    words = source.words
    return Table(
        words("table.totals"),
        (),
        [(words(f"count.{name}"), number) for name, number in counts.items()],
    )


def _by_district(source: Source, region: Region) -> Table:
    words = source.words
    rows: list[Any] = source.rows(
        "select district, count(*), count(*) filter (where standing = 'entitled'),"
        " count(*) filter (where standing = 'ended')"
        f" from listed where region_kato = '{region.kato}'"
        " group by district, district_kato order by district_kato nulls first"
    )
    total = (words("label.total"), *(sum(row[n] for row in rows) for n in (1, 2, 3)))
    return Table(
        words("table.districts"),
        [words(f"heading.{n}") for n in ("district", "listed", "entitled", "ended")],
        [*rows, total],
    )


def _by_list(source: Source, region: Region) -> Table:
    words = source.words
    rows: list[Any] = source.rows(
        "select list_no, listed_on, count(*),"
        " count(*) filter (where standing = 'ended')"
        f" from listed where region_kato = '{region.kato}'"
        " group by list_no, listed_on order by list_no"
    )
    return Table(
        words("table.lists"),
        [words(f"heading.{n}") for n in ("list_no", "listed_on", "listed", "ended")],
        rows,
    )


def _list_days(source: Source) -> dict[int, date]:
    """Return the days of the month's lists, by number: the same in every region."""
    rows: list[Any] = source.rows(
        "select list_no, min(listed_on) from run.marts.food_set_lists"
        " where list_month = $month and list_no is not null group by 1 order by 1",
        {"month": source.month},
    )
    return dict(rows)


def _numbers(source: Source, region: Region) -> list[tuple[str, Cell]]:
    rows: list[Any] = source.rows(
        "select distinct list_no, listed_on from listed"
        f" where region_kato = '{region.kato}' order by list_no"
    )
    said = "; ".join(
        source.words("label.list_of", number=number, on=f"{on:%d.%m.%Y}")
        for number, on in rows
    )
    return [(source.words("fact.lists"), said)]


def _held_back(source: Source, region: Region) -> list[str]:
    if region.blocked_by is None:
        return []
    reason = source.words.known("reason", region.blocked_by)
    return [source.words("note.held_back", reason=reason)]


def _signatures(source: Source) -> list[Signature]:
    words = source.words
    return [Signature(words("sign.made_by")), Signature(words("sign.checked_by"))]
