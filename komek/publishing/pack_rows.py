"""The rows of a run's packs, from the rows of its lists.

`pack_rows` has them in order, each with its `place`; those of a region follow on one
another. Text that is long lies apart, in `long_texts`; `pack_rows` has its beginning
and its hash. Whole rows are then read a few at a time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import duckdb
import pyarrow

from komek.base import database
from komek.publishing.cells import is_cut, shown
from komek.publishing.listed_rows import TEXTS, is_long, replaced

_BYTES_AT_ONCE = 8 << 20
# What a row takes beside its long texts, about.
_ROW_BYTES = 256
_READER = "whole_rows"


def lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Lay out `pack_rows` over `listed_rows`, and the long texts of it."""
    connection.execute(
        "create view pack_rows as"
        " select *, rowid as place from listed_rows where is_packed"
    )
    (any_long,) = connection.execute(
        "select bool_or(long_bytes > 0) from pack_rows"
    ).fetchone() or (False,)
    if any_long:
        _keep_long_texts(connection)


def _keep_long_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the long texts apart, as they stream by: the side that is held is small."""
    long = "".join(f", case when {is_long(n)} then {n} end as {n}" for n in TEXTS)
    connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    connection.execute(
        f"""
        create table long_texts as
        with people as (select iin{long} from run.marts.recipient_people),
        long_rows as (select iin, place from pack_rows where long_bytes > 0)
        select place, {", ".join(TEXTS)}
        from people inner join long_rows using (iin)
        """
    )
    connection.execute("reset disabled_optimizers")


def between(first: int, end: int, *replacements: str) -> str:
    """Return SQL, from `from` on, for the rows of these places, of long texts the hash.

    Args:
        first: the first place.
        end: the place behind the last.
        replacements: what `replaced` returned, one after another.
    """
    rows = f"from pack_rows where place >= {first} and place < {end}"
    return f"{_with(rows, replacements)} order by place"


def batches(
    connection: duckdb.DuckDBPyConnection,
    select: str,
    first: int,
    end: int,
    *replacements: str,
) -> Iterator[pyarrow.Table]:
    """Yield what is selected of whole rows, in order of place, a few at a time."""
    whole = replaced(TEXTS, lambda name: f"coalesce(texts.{name}, rows.{name})")
    for begin, stop in _parts(connection, first, end):
        places = f"where place >= {begin} and place < {stop}"
        rows = f"""
            from (from pack_rows {places}) as rows
            left join (from long_texts {places}) as texts using (place)
        """
        rows = f"from (select rows.* replace ({whole}) {rows})"
        yield connection.execute(
            f"select {select} {_with(rows, replacements)} order by place"
        ).to_arrow_table()


def _with(rows: str, replacements: Iterable[str]) -> str:
    for replacement in replacements:
        rows = f"from (select * replace ({replacement}) {rows})"
    return rows


def cut_cells(connection: duckdb.DuckDBPyConnection, first: int, end: int) -> int:
    """Return how many texts of these places are longer than a cell may be."""
    counted = " + ".join(f"count(*) filter (where {is_cut(shown(n))})" for n in TEXTS)
    (count,) = connection.execute(
        f"select {counted} from long_texts where place >= $first and place < $end",
        {"first": first, "end": end},
    ).fetchone() or (0,)
    return int(count)


def _parts(
    connection: duckdb.DuckDBPyConnection, first: int, end: int
) -> list[tuple[int, int]]:
    """Return places from and to of parts of about as many bytes each."""
    return connection.execute(
        f"""
        select min(place), max(place) + 1
        from (
            select
                place,
                sum(long_bytes + {_ROW_BYTES}) over (order by place) as bytes_until
            from pack_rows
            where place >= $first and place < $end
        )
        group by bytes_until // {_BYTES_AT_ONCE}
        order by 1
        """,
        {"first": first, "end": end},
    ).fetchall()


@contextmanager
def whole_rows(
    connection: duckdb.DuckDBPyConnection,
    names: str,
    first: int,
    end: int,
    *replacements: str,
) -> Iterator[str]:
    """Yield SQL, from `from` on, for whole rows, to be read once as needed."""
    source = batches(database.cursor(connection), names, first, end, *replacements)
    schema = (
        connection.execute(f"select {names} from pack_rows limit 0")
        .to_arrow_table()
        .schema
    )
    reader = pyarrow.RecordBatchReader.from_batches(
        schema, (batch for table in source for batch in table.to_batches())
    )
    connection.register(_READER, reader)
    try:
        yield f"from {_READER}"
    finally:
        connection.unregister(_READER)
