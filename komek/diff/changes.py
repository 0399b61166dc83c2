"""The comparison of computed steps, in DuckDB: changes, causes, source rows, sums."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database
from komek.base.errors import KomekError
from komek.base.registries import Entity
from komek.diff.compared import COMPARED, Compared
from komek.diff.steps import State
from komek.runs.layout import ROWS_PER_FILE

# The comparison, in DuckDB


def changes_between(
    connection: duckdb.DuckDBPyConnection,
    ends: Sequence[State],
    chain: Sequence[State],
    differ: Sequence[str],
    apart: Sequence[Entity],
) -> dict[str, Any]:
    """Return the changes between the two ends, and their sums."""
    for state in {state.name: state for state in (*ends, *chain)}.values():
        with _attached(connection, state.file):
            for compared in COMPARED:
                connection.execute(_rows(compared, state.name))
    changes = " union all ".join(_changes(compared, chain) for compared in COMPARED)
    connection.execute(f"create table changes as {changes}")
    (unexplained,) = connection.execute(
        "select count(*) from changes where cause is null"
    ).fetchone() or (0,)
    if unexplained:
        if not differ:
            raise KomekError(
                f"{unexplained} rows differ though both runs were computed from the"
                " same: komek verify finds which was changed"
            )
        connection.execute(
            "update changes set cause = ? where cause is null", [differ[0]]
        )
    _find_sources(connection, chain, apart)
    return {"changes": _all_changes(connection), "sums": _sums(connection)}


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """Attach a run's file under the name by which its views know it."""
    database.attach(connection, file, "run")
    try:
        yield
    finally:
        connection.execute("detach run")


def _rows(compared: Compared, state: str) -> str:
    """Return SQL that keeps a mart of the attached run: key, person, region, values."""
    values = ", ".join(
        f"""'{name}': case count(*)
            when 1 then any_value(cast(mart.{name} as varchar))
            else string_agg(
                coalesce(cast(mart.{name} as varchar), ''), ' + '
                order by {compared.order}
            )
        end"""
        for name in compared.columns
    )
    amount = f"sum(mart.{compared.amount})" if compared.amount else "null"
    return f"""
        create table {state}_{compared.table} as
        select
            {compared.key} as key,
            min({compared.iin}) as iin,
            min({compared.region}) as region_kato,
            cast({amount} as decimal(38, 2)) as amount,
            {{{values}}} as value
        from run.marts.{compared.table} as mart
        {compared.joined}
        left join run.facts.people as people on {compared.iin} = people.iin
        group by {compared.key}
    """


def _changes(compared: Compared, chain: Sequence[State]) -> str:
    """Return SQL for what differs in a mart between the two ends, with its cause.

    That is the last step in which the row appeared, if it was added, or changed.
    """
    names = [f"{state.name}_{compared.table}" for state in chain]
    steps = list(zip(chain[1:], names[1:], names, strict=False))
    appeared = "".join(
        f" when {now}.key is not null and {before}.key is null then '{state.cause}'"
        for state, now, before in reversed(steps)
    )
    settled = "".join(
        f" when {now}.value is distinct from {before}.value then '{state.cause}'"
        for state, now, before in reversed(steps)
    )
    joined = "".join(
        f" left join {name} on {name}.key = coalesce(before.key, after.key)"
        for name in names
    )
    columns = ", ".join(
        f"{{'column': '{name}', 'before': before.value.{name},"
        f" 'after': after.value.{name}}}"
        for name in compared.columns
    )
    return f"""
        select
            '{compared.table}' as table_name,
            '{compared.what}' as what,
            coalesce(after.key, before.key) as key,
            coalesce(after.iin, before.iin) as iin,
            coalesce(after.region_kato, before.region_kato) as region_kato,
            case
                when before.key is null then 'added'
                when after.key is null then 'removed'
                else 'changed'
            end as change,
            cast(case
                when before.key is null then case {appeared} when true then null end
                else case {settled} when true then null end
            end as varchar) as cause,
            case when before.key is null or after.key is null then [] else
                list_filter([{columns}], lambda x: x.before is distinct from x.after)
            end as columns,
            case when {str(compared.amount is not None).lower()} then
                coalesce(after.amount, 0) - coalesce(before.amount, 0)
            end as amount_change
        from first_{compared.table} as before
        full join second_{compared.table} as after on before.key = after.key
        {joined}
        where before.value is distinct from after.value
    """


def _find_sources(
    connection: duckdb.DuckDBPyConnection,
    chain: Sequence[State],
    apart: Sequence[Entity],
) -> None:
    """Find the changed rows behind each change whose cause is data: table `sources`."""
    connection.execute(
        "create table changed_rows (entity varchar, iin varchar, change varchar,"
        " file_before varchar, row_before bigint, file_after varchar, row_after bigint)"
    )
    connection.execute(
        "create table touched (table_name varchar, key varchar, entity varchar,"
        " is_after boolean, file varchar, row_number bigint)"
    )
    for before, after in pairwise(chain):
        if after.cause == "data":
            for side, state in (("before", before), ("after", after)):
                with _attached(connection, state.file):
                    for entity in apart:
                        connection.execute(_source_rows(entity, side))
                    for compared in COMPARED:
                        connection.execute(_touched(compared, side))
            for entity in apart:
                connection.execute(_changed_rows(entity))
    connection.execute(
        """
        create table sources as
        with by_lineage as (
            select touched.table_name, touched.key, changed_rows.*
            from touched
            inner join changed_rows
                on touched.entity = changed_rows.entity
                and touched.file = case when touched.is_after
                    then changed_rows.file_after else changed_rows.file_before end
                and touched.row_number = case when touched.is_after
                    then changed_rows.row_after else changed_rows.row_before end
        ),
        by_person as (
            select changes.table_name, changes.key, changed_rows.*
            from changes
            inner join changed_rows on changes.iin = changed_rows.iin
            anti join by_lineage
                on changes.table_name = by_lineage.table_name
                and changes.key = by_lineage.key
            where changes.cause = 'data'
        ),
        found as (
            select *, 'lineage' as found_by from by_lineage
            union
            select *, 'person' as found_by from by_person
        )
        select
            table_name,
            key,
            list({
                'entity': entity,
                'change': change,
                'file_before': file_before,
                'row_before': row_before,
                'file_after': file_after,
                'row_after': row_after,
                'found_by': found_by
            } order by entity, file_after, row_after, file_before, row_before) as found
        from found
        group by table_name, key
        """
    )


def _source_rows(entity: Entity, side: str) -> str:
    """Return SQL that keeps the accepted rows of a registry: key, place, hash."""
    key = ", ".join(f"cast({name} as varchar)" for name in entity.key)
    return f"""
        create table {side}_{entity.name} as
        select
            concat_ws('|', {key}) as key,
            {entity.iin_column or "cast(null as varchar)"} as iin,
            files.file,
            source_row % {ROWS_PER_FILE} as row_number,
            hash({", ".join(entity.column_names)}) as hashed
        from run.staging.stg_{entity.name}
        inner join run.landing.landed_files as files
            on source_row // {ROWS_PER_FILE} = files.file_no
    """


def _touched(compared: Compared, side: str) -> str:
    """Return SQL for the lineage of the changes that data caused."""
    tables = ", ".join(f"'{table}'" for table in compared.lineage)
    return f"""
        insert into touched
        select
            '{compared.table}', {compared.row_key}, entity,
            {str(side == "after").lower()}, file, row_number
        from run.marts.lineage
        where
            table_name in ({tables})
            and {compared.row_key} in (
                select key from changes
                where table_name = '{compared.table}' and cause = 'data'
            )
    """


def _changed_rows(entity: Entity) -> str:
    """Return SQL for the rows of a registry that are not the same in both snapshots."""
    return f"""
        insert into changed_rows
        select
            '{entity.name}',
            coalesce(after.iin, before.iin),
            case
                when before.key is null then 'added'
                when after.key is null then 'removed'
                else 'changed'
            end,
            before.file, before.row_number, after.file, after.row_number
        from before_{entity.name} as before
        full join after_{entity.name} as after on before.key = after.key
        where before.hashed is distinct from after.hashed
    """


def _all_changes(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    (found,) = connection.execute(
        """
        select list({
            'table': changes.table_name,
            'what': changes.what,
            'key': changes.key,
            'region_kato': changes.region_kato,
            'change': changes.change,
            'cause': changes.cause,
            'columns': changes.columns,
            'sources': coalesce(sources.found, [])
        } order by changes.table_name, changes.region_kato, changes.key)
        from changes
        left join sources
            on changes.table_name = sources.table_name and changes.key = sources.key
        """
    ).fetchone() or (None,)
    return found or []


def _sums(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    (found,) = connection.execute(
        """
        with sums as (
            select
                table_name,
                region_kato,
                cause,
                count(*) filter (where change = 'added') as added,
                count(*) filter (where change = 'removed') as removed,
                count(*) filter (where change = 'changed') as changed,
                cast(sum(amount_change) as varchar) as amount_change
            from changes
            group by table_name, region_kato, cause
        )
        select list({
            'table': table_name,
            'region_kato': region_kato,
            'cause': cause,
            'added': added,
            'removed': removed,
            'changed': changed,
            'amount_change': amount_change
        } order by table_name, region_kato, cause)
        from sums
        """
    ).fetchone() or (None,)
    return found or []
