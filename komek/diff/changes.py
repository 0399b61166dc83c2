"""The comparison of computed states, in DuckDB: changes, causes, source rows, sums.

The queries stand beside it, each one text whatever is compared: those of `rows/` tell
every state, a mart each, `changes.sql` finds what differs between the ends and by which
step, `touched.sql` and `sources.sql` find the changed rows behind what data caused.
What time caused is in `moments.py`.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from komek.base.errors import KomekError
from komek.base.registries import Entity
from komek.diff.moments import Days, keep_moments
from komek.diff.steps import State
from komek.runs.filed import attached
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
    days: Days,
) -> dict[str, Any]:
    """Return the changes between two runs, and their sums.

    Args:
        connection: an empty database; it gets the comparison's tables.
        ends: the two runs as they are filed, `first` and `second`.
        chain: the states from the one to the other.
        differ: in what the runs differ, in order of substitution.
        apart: the registries of which they took other snapshots.
        days: the days they decide for.

    Raises:
        KomekError: rows differ, but nothing that the runs were computed from.
    """
    connection.execute(_query("tables"))
    compared = _compared(connection, ends)
    for state in {state.name: state for state in (*ends, *chain)}.values():
        with attached(connection, state.file):
            _tell(connection, state, compared)
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
        if after.cause == "time":
            for state in (before, after):
                with attached(connection, state.file):
                    _touch(connection, "time", is_after=state is after)
                    keep_moments(
                        connection, before, after, days, is_after=state is after
                    )
    connection.execute(_query("sources"))
    connection.execute(_query("because"))
    return {"changes": _all_changes(connection), "sums": _sums(connection)}


def _query(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


def _compared(
    connection: duckdb.DuckDBPyConnection, ends: Sequence[State]
) -> list[str]:
    """Return the marts that are compared: those of both ends have them all.

    A run of an earlier version lacks the marts that came later.
    """
    found = {path.stem for path in (Path(__file__).parent / "rows").glob("*.sql")}
    for end in ends:
        with attached(connection, end.file):
            marts = connection.execute(
                "select table_name from information_schema.tables"
                " where (table_catalog, table_schema) = ('run', 'marts')"
            ).fetchall()
        found &= {name for (name,) in marts}
    return sorted(found)


def _tell(
    connection: duckdb.DuckDBPyConnection, state: State, compared: Collection[str]
) -> None:
    """Tell what an attached state says in each of the marts."""
    connection.execute("delete from said")
    for mart in compared:
        connection.execute(f"insert into said {_query(f'rows/{mart}')}")
    connection.execute(_query("tell"), {"state": state.name})


def _touch(
    connection: duckdb.DuckDBPyConnection, cause: str, *, is_after: bool
) -> None:
    connection.execute(_query("touched"), {"cause": cause, "is_after": is_after})


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
    with attached(connection, state.file):
        for entity in apart:
            connection.execute(
                _SOURCE_ROWS.format(
                    entity=entity.name,
                    iin=_iin_of(entity),
                    rows_per_file=ROWS_PER_FILE,
                ),
                {
                    "is_after": is_after,
                    "entity": entity.name,
                    "key": list(entity.key),
                    "columns": list(entity.column_names),
                },
            )
        _touch(connection, "data", is_after=is_after)


def _iin_of(entity: Entity) -> str:
    """Return the column with the person that an entity's rows are about, or null."""
    own = "iin" if "iin" in entity.column_names else "null"
    return entity.iin_column or own


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
            'sources': coalesce(sources.found, []),
            'because': coalesce(because.found, [])
        } order by changes.table_name, changes.region_kato, changes.key)
        from changes
        left join sources
            on changes.table_name = sources.table_name and changes.key = sources.key
        left join because
            on changes.table_name = because.table_name and changes.key = because.key
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
