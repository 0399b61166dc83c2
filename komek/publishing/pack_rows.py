"""The rows of a run's packs: joined and ordered once, in a working file.

`pack_rows` has them in order, each with its `place` from 0 on. Text that is long lies
apart, in `long_texts`, and `pack_rows` has its beginning and hash: so what is joined
and ordered is small, however long an address is. Whole rows are then read a few at a
time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import duckdb
import pyarrow

from komek.base import database
from komek.publishing.cells import has_commands, is_cut, shown

# What somebody wrote; all else is a code, an identifier or a number.
TEXTS = ("last_name", "first_name", "middle_name", "address")
# From so many bytes on a text is long.
LONG_BYTES = 1_024
_BYTES_AT_ONCE = 8 << 20
# What is shown of a long text where rows are told apart.
_BEGINNING = 60
# No place has a longer name, but a damaged classifier may.
_NAME_LETTERS = 255
# What a row takes beside its long texts, about.
_ROW_BYTES = 256
_READER = "whole_rows"


def shortened(name: str) -> str:
    """Return SQL for a column's text, where it is long its beginning and its hash."""
    short = f"left({name}, {_BEGINNING}) || '… ' || md5({name})"
    return f"case when {_is_long(name)} then {short} else {name} end"


def gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Join and order the list rows of all published regions of the attached run.

    A row per set of the run's month, in the region and district as listed (p26); name,
    address and settlement are those of the register. Rows that are held back have no
    number yet, and are of blocked regions alone.
    """
    long_bytes = " + ".join(
        f"case when {_is_long(name)} then strlen({name}) else 0 end" for name in TEXTS
    )
    connection.execute(
        f"""
        create table pack_rows as
        with places as (
            select
                units.kato,
                units.region_kato,
                units.district_kato,
                case when units.kato not like '%00000' then units.kato end
                    as settlement_kato,
                left(units.name_ru, {_NAME_LETTERS}) as name_ru,
                left(units.name_kk, {_NAME_LETTERS}) as name_kk,
                {_place("units.name_ru", "units.name_kk")} as place_name,
                case
                    when units.kato not like '%00000'
                        then ltrim(
                            {_place(_in_okrug("name_ru"), _in_okrug("name_kk"))}
                            || ' (' || units.kato || ')'
                        )
                end as settlement_name,
                {has_commands("concat(units.name_ru, units.name_kk)")} as has_commands
            from run.facts.territories as units
            left join run.facts.territories as okrugs
                on okrugs.kato = case
                    when units.kato not like '%000'
                        then concat(left(units.kato, 6), '000')
                end
        ),
        people as (
            select
                iin,
                kato,
                {replaced(TEXTS, shortened)},
                {long_bytes} as long_bytes,
                {has_commands(f"concat({', '.join(TEXTS)})")} as has_commands
            from run.marts.recipient_people
        ),
        joined as (
            select
                plan.list_month,
                plan.list_no,
                lists.listed_on,
                plan.iin,
                people.last_name,
                people.first_name,
                people.middle_name,
                people.address,
                registered.settlement_kato,
                case when registered.settlement_kato is not null
                    then registered.name_ru end as settlement_ru,
                case when registered.settlement_kato is not null
                    then registered.name_kk end as settlement_kk,
                plan.region_kato,
                lists.district_kato,
                case
                    when people.iin is null then null
                    when registered.kato is null then 'unassigned'
                    when
                        registered.region_kato <> plan.region_kato
                        or registered.district_kato
                        is distinct from lists.district_kato
                        then registered.district_kato
                end as moved_to,
                plan.primary_ground,
                lists.grounds,
                plan.standing,
                lists.ended_on,
                lists.ended_reason,
                plan.delivery_status,
                plan.mode,
                regions.norm_cost as set_cost,
                plan.allocation,
                plan.contract_id,
                plan.iban,
                plan.account_iin,
                plan.amount,
                registered.settlement_name,
                coalesce(people.long_bytes, 0) as long_bytes,
                coalesce(people.has_commands, false)
                or coalesce(registered.has_commands, false)
                or {has_commands("concat(plan.contract_id, plan.iban)")} as has_commands
            from run.marts.delivery_plan as plan
            inner join run.marts.food_set_lists as lists using (list_month, iin)
            inner join run.marts.region_status as regions
                on plan.region_kato = regions.region_kato
                and regions.publication = 'published'
            left join people on plan.iin = people.iin
            left join places as registered on people.kato = registered.kato
            where plan.list_no is not null
        ),
        ordered as (
            select
                joined.*,
                coalesce(places.place_name, moved_to) as moved_to_name
            from joined
            left join places on joined.moved_to = places.kato
            order by
                joined.region_kato,
                joined.district_kato nulls first,
                joined.iin,
                joined.primary_ground
        )
        select *, row_number() over () - 1 as place from ordered
        """
    )
    (any_long,) = connection.execute(
        "select bool_or(long_bytes > 0) from pack_rows"
    ).fetchone() or (False,)
    if any_long:
        _keep_long_texts(connection)


def _keep_long_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the long texts apart, as they stream by: the side that is held is small."""
    long = "".join(f", case when {_is_long(n)} then {n} end as {n}" for n in TEXTS)
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


def _is_long(name: str) -> str:
    return f"strlen({name}) > {LONG_BYTES}"


def _in_okrug(name: str) -> str:
    """Return SQL for a settlement's name behind that of its rural district."""
    whole = f"concat_ws(', ', okrugs.{name}, units.{name})"
    return f"case when units.{name} is not null then {whole} end"


def _place(name_ru: str, name_kk: str) -> str:
    """Return SQL for how a cell shows a place: its names, each once."""
    names = f"concat_ws(' / ', {name_ru}, nullif({name_kk}, {name_ru}))"
    return shown(f"left({names}, {_NAME_LETTERS})")


def replaced(names: Iterable[str], by: Callable[[str], str]) -> str:
    """Return SQL that puts something made of them in place of columns: name to SQL."""
    return ", ".join(f"{by(name)} as {name}" for name in names)


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
