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
_COLUMNS_OF_CHANGE = ("what", "key", "region_kato", "change", "cause", "columns")
# Of the changes that are read at a time.
_ROWS = 10_000
_PERSON = "split_part(lineage.row_key, '|', 1)"
_LISTED = f"concat({_PERSON}, '|', context.list_month)"
# In whose lineage the rows behind the changes of a table are, under which key, where
# that is not its own: a person's place on the lists has behind it what each ground was
# judged by.
_BEHIND = {
    "food_set_recipients": [
        ("food_set_recipients", _PERSON),
        ("food_set_decisions", _PERSON),
    ],
    "food_set_lists": [
        ("food_set_lists", "lineage.row_key"),
        ("food_set_decisions", _LISTED),
    ],
}


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
    connection.execute("set preserve_insertion_order = false")
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
    """Keep the rows of an attached state behind the changes that one thing caused.

    One mart at a time: the lineage of all is a view over most of a run.
    """
    tables = connection.execute(
        "select distinct table_name from changes where cause = ? order by all", [cause]
    ).fetchall()
    for (table,) in tables:
        for mart, key in _BEHIND.get(table, [(table, "lineage.row_key")]):
            connection.execute(
                _query("touched").format(mart=mart, key=key),
                {"table_name": table, "cause": cause, "is_after": is_after},
            )


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
    """Return every change, read row by row: DuckDB would hold one list of all whole."""
    names = ("table", *_COLUMNS_OF_CHANGE, "sources", "because")
    found = connection.execute(
        f"""
        select
            changes.table_name,
            changes.{", changes.".join(_COLUMNS_OF_CHANGE)},
            coalesce(sources.found, []),
            coalesce(because.found, [])
        from changes
        left join sources
            on changes.table_name = sources.table_name and changes.key = sources.key
        left join because
            on changes.table_name = because.table_name and changes.key = because.key
        order by changes.table_name, changes.region_kato, changes.key
        """
    )
    return [
        dict(zip(names, row, strict=True))
        for rows in iter(lambda: found.fetchmany(_ROWS), [])
        for row in rows
    ]


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
