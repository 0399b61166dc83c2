"""What goes back to the owners of registers: each rejected row, and what to mend."""

from collections.abc import Iterator

from komek.base.registries import Entity, entities
from komek.papers.paper import Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Source


def return_papers(source: Source) -> Iterator[Paper]:
    """Yield a return of each owner of whose registers rows were rejected.

    A row is named by its file and number; what was in it is not repeated.
    """
    _gather(source)
    words = source.words
    owners: dict[str, list[Entity]] = {}
    for entity in entities():
        owners.setdefault(entity.owner, []).append(entity)
    places = {
        entity: (first, rows)
        for entity, first, rows in source.slices("returned", "entity")
    }
    for number, (owner, registers) in enumerate(owners.items(), 1):
        found = [entity for entity in registers if entity.name in places]
        if not found:
            continue
        yield source.paper(
            f"returns-{number:02}",
            words("title.returns"),
            [
                (words("fact.owner"), words.known("owner", owner)),
                *source.head(()),
            ],
            tables=[_registers(source, registers), _reasons(source, found)],
            sections=[
                _section(source, entity, *places[entity.name]) for entity in found
            ],
            signatures=[
                Signature(words("sign.made_by")),
                Signature(words("sign.owner")),
            ],
        )


def _registers(source: Source, registers: list[Entity]) -> Table:
    words = source.words
    rows = source.rows(
        f"select {words.sql('entity', 'entity')}, snapshot_date, revision,"
        " rows_received, rows_accepted, rows_quarantined, rows_duplicate"
        " from run.marts.snapshot_use where list_contains($names, entity)"
        " order by entity",
        {"names": [entity.name for entity in registers]},
    )
    names = (
        "register", "snapshot", "revision", "received", "accepted", "quarantined",
        "duplicates",
    )  # fmt: skip
    return Table(
        words("table.registers"), [words(f"heading.{name}") for name in names], rows
    )


def _reasons(source: Source, found: list[Entity]) -> Table:
    words = source.words
    rows = source.rows(
        f"select {words.sql('entity', 'entity')}, {_reason(source)} as said,"
        f" {_column(source)} as field, count(*)"
        " from returned where list_contains($names, entity)"
        " group by entity, reason order by entity, count(*) desc, reason",
        {"names": [entity.name for entity in found]},
    )
    names = ("register", "reason", "column", "rows")
    return Table(
        words("table.reasons"), [words(f"heading.{name}") for name in names], rows
    )


def _section(source: Source, entity: Entity, first: int, rows: int) -> Section:
    words = source.words
    return Section(
        words.known("entity", entity.name),
        [
            Column("№", 6, "number", Kind.COUNT),
            Column(words("heading.file"), 34, "file", is_free=True),
            Column(words("heading.row"), 10, "row_number", Kind.COUNT),
            Column(words("heading.column"), 24, _column(source), is_free=True),
            Column(words("heading.reason"), 36, _reason(source), is_free=True),
            Column(words("heading.mend"), 40, words.sql("mend", "reason_kind")),
        ],
        "returned",
        first,
        rows,
        [(words("total.rows"), rows)],
    )


def _reason(source: Source) -> str:
    return source.words.sql("quarantine", "split_part(reason, ':', 1)")


def _column(source: Source) -> str:
    """Return SQL for the column a reason names, if it does: its words, its name."""
    name = "split_part(reason, ':', 2)"
    said = source.words.sql("field", name)
    return (
        f"case when {name} = '' then '' when {said} = {name} then {name}"
        f" else concat({said}, ' (', {name}, ')') end"
    )


def _gather(source: Source) -> None:
    """Make `returned`: the rejected rows, one after another."""
    source.connection.execute(
        """
        create or replace table returned as
        select
            entity,
            file,
            row_number,
            reason,
            split_part(reason, ':', 1) as reason_kind,
            row_number() over (
                partition by entity order by file, row_number, reason
            ) as number,
            row_number() over (order by entity, file, row_number, reason) - 1 as place
        from run.marts.quarantine
        where entity <> 'lists'
        """
    )
