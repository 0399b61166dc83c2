"""The comparison of computed states, in DuckDB: changes, causes, source rows, sums.

The queries stand beside it, each one text whatever is compared: `rows.sql` tells every
state in one long table, `changes.sql` finds what differs between the ends and by which
step, `touched.sql` and `sources.sql` find the changed rows behind it.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from komek.base.errors import KomekError
from komek.base.registries import Entity
from komek.diff.steps import State
from komek.runs import filed
from komek.runs.landed_views import ROWS_PER_FILE

_SOURCE_ROWS = """
    insert into source_rows
    select
        $is_after,
        $entity,
        concat_ws('|', *columns($key)),
        {iin},
        files.file,
        source_row % {rows_per_file},
        hash(*columns($columns))
    from run.staging.stg_{entity}
    inner join run.landing.landed_files as files
        on source_row // {rows_per_file} = files.file_no
"""


def changes_between(
    connection: duckdb.DuckDBPyConnection,
    ends: Sequence[State],
    chain: Sequence[State],
    differ: Sequence[str],
    apart: Sequence[Entity],
) -> dict[str, Any]:
    """Return the changes between two runs, and their sums.

    Args:
        connection: an empty database; it gets the comparison's tables.
        ends: the two runs as they are filed, `first` and `second`.
        chain: the states from the one to the other.
        differ: in what the runs differ, in order of substitution.
        apart: the registries of which they took other snapshots.

    Raises:
        KomekError: rows differ, but nothing that the runs were computed from.
    """
    connection.execute(_query("tables"))
    for state in {state.name: state for state in (*ends, *chain)}.values():
        with filed.attached(connection, state.file):
            connection.execute(_query("rows"), {"state": state.name})
    for step, state in enumerate(chain):
        connection.execute(
            "insert into chain values (?, ?, ?)", [step, state.name, state.cause]
        )
    connection.execute(_query("changes"))
    _put_down_the_rest(connection, differ)
    for before, after in pairwise(chain):
        if after.cause == "data":
            _keep_sources(connection, before, apart, is_after=False)
            _keep_sources(connection, after, apart, is_after=True)
    connection.execute(_query("sources"))
    return {"changes": _all_changes(connection), "sums": _sums(connection)}


def _query(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


def _put_down_the_rest(
    connection: duckdb.DuckDBPyConnection, differ: Sequence[str]
) -> None:
    """Put what no step shows down to the first thing in which the runs differ."""
    (unexplained,) = connection.execute(
        "select count(*) from changes where cause is null"
    ).fetchone() or (0,)
    if unexplained and not differ:
        raise KomekError(
            f"{unexplained} rows differ though both runs were computed from the same:"
            " komek verify finds which was changed"
        )
    if unexplained:
        connection.execute(
            "update changes set cause = ? where cause is null", [differ[0]]
        )


def _keep_sources(
    connection: duckdb.DuckDBPyConnection,
    state: State,
    apart: Sequence[Entity],
    *,
    is_after: bool,
) -> None:
    """Keep a state's accepted source rows, and which of them its changes have."""
    with filed.attached(connection, state.file):
        for entity in apart:
            connection.execute(
                _SOURCE_ROWS.format(
                    entity=entity.name,
                    iin=entity.iin_column or "null",
                    rows_per_file=ROWS_PER_FILE,
                ),
                {
                    "is_after": is_after,
                    "entity": entity.name,
                    "key": list(entity.key),
                    "columns": list(entity.column_names),
                },
            )
        connection.execute(_query("touched"), {"is_after": is_after})


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
