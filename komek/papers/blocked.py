"""p26, p27: the record of what is held back: why, and what would set it free."""

from collections.abc import Iterator
from decimal import Decimal

from komek.papers.paper import Cell, Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import UNASSIGNED, Region, Source

_PARAGRAPHS = ("p26", "p27")


def blocked_papers(source: Source) -> Iterator[Paper]:
    """Yield the record of the blocked regions and of the people without a region."""
    words = source.words
    blocked = [region for region in source.regions if region.blocked_by is not None]
    if not source.is_planned or (source.is_one_region and not blocked):
        return
    _gather(source)
    ((people,),) = source.rows("select count(*) from unassigned")
    has_unassigned = UNASSIGNED in source.katos
    only = source.regions[0] if source.is_one_region else None
    yield source.paper(
        "blocked",
        words("title.blocked"),
        source.head(_PARAGRAPHS, only),
        only,
        tables=[
            _regions(source, blocked),
            Table(
                words("table.unblock"),
                [
                    words("heading.region"),
                    words("heading.unblock"),
                    words("heading.turn"),
                ],
                [
                    (
                        region.name,
                        words(f"unblock.{_cause(region)}", floor=_floor(source)),
                        words(f"turn.{_cause(region)}"),
                    )
                    for region in blocked
                ],
            ),
        ],
        sections=[
            Section(
                words("section.unassigned"),
                [
                    Column("№", 6, "number", Kind.COUNT),
                    Column(words("heading.name"), 30, "name", is_free=True),
                    Column(words("heading.iin"), 15, "iin"),
                    Column(words("heading.birth_date"), 12, "birth_date", Kind.DATE),
                    Column(words("heading.kato"), 14, "kato", is_free=True),
                    Column(words("heading.address"), 30, "address", is_free=True),
                    Column(
                        words("heading.ground"),
                        28,
                        words.sql("ground", "primary_ground"),
                    ),
                    Column(
                        words("heading.to_do"),
                        34,
                        f"case when kato is null then '{words('label.no_kato')}'"
                        f" else '{words('label.unknown_kato')}' end",
                    ),
                ],
                "unassigned",
                0,
                people,
                [(words("total.people"), people)],
            )
        ]
        if has_unassigned
        else [],
        signatures=[Signature(words("sign.head")), Signature(words("sign.made_by"))],
    )


def _gather(source: Source) -> None:
    """Make `unassigned`: who is entitled and belongs to no region."""
    people = (
        "select iin from run.marts.food_set_recipients where region_kato = 'unassigned'"
    )
    source.name_people("unassigned_people", people)
    source.connection.execute(
        """
        create or replace table unassigned as
        select
            recipients.iin,
            recipients.primary_ground,
            people.name,
            people.birth_date,
            people.kato,
            people.address,
            row_number() over (
                order by people.name nulls last, recipients.iin, primary_ground
            ) as number,
            number - 1 as place
        from run.marts.food_set_recipients as recipients
        left join unassigned_people as people on recipients.iin = people.iin
        where recipients.region_kato = 'unassigned'
        """
    )


def _regions(source: Source, blocked: list[Region]) -> Table:
    words = source.words
    figures = {
        region: (norm, floor, recipients, held)
        for region, norm, floor, recipients, held in source.rows(
            """
            select
                status.region_kato,
                status.norm_cost,
                status.floor_cost,
                status.recipients,
                count(lists.iin) filter (where lists.standing = 'held')
            from run.marts.region_status as status
            left join run.marts.food_set_lists as lists
                on status.region_kato = lists.region_kato
                and lists.list_month = $month
            group by all
            """,
            {"month": source.month},
        )
    }
    rows: list[tuple[Cell, ...]] = []
    for region in blocked:
        norm, floor, recipients, held = figures[region.kato]
        rows.append(
            (
                region.name,
                words.known("reason", region.blocked_by),
                "—" if norm is None else norm,
                floor if floor is not None else Decimal(0),
                recipients,
                held,
            )
        )
    names = ("region", "cause", "norm", "floor", "recipients", "held")
    return Table(
        words("table.blocked"), [words(f"heading.{name}") for name in names], rows
    )


def _cause(region: Region) -> str:
    if region.kato == UNASSIGNED:
        return UNASSIGNED
    return str(region.blocked_by).partition(":")[0]


def _floor(source: Source) -> str:
    found = source.rows("select max(floor_cost) from run.marts.region_status")
    return f"{found[0][0]}".replace(".", ",")
