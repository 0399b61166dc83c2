"""The rows of a run's lists, with their people and places: joined and ordered once.

What a publication hands out is cut from them: the packs (pack_rows) and the files of
roles (role_files). Text that is long stands shortened, by its beginning and its hash:
so what is joined and ordered is small, however long an address is.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from komek.base import database
from komek.publishing.cells import has_commands, shown
from komek.runs import filed

# What somebody wrote, all else is a code, an identifier or a number; and how many
# letters of it are its beginning.
TEXTS = {"last_name": 255, "first_name": 255, "middle_name": 255, "address": 1_024}
# From so many bytes on a text is long.
LONG_BYTES = 1_024
# No place has a longer name, but a damaged classifier may.
NAME_LETTERS = 255


def is_long(name: str) -> str:
    """Return SQL for whether a column's text is long."""
    return f"strlen({name}) > {LONG_BYTES}"


def shortened(name: str) -> str:
    """Return SQL for a column's text, where it is long its beginning and its hash."""
    short = f"left({name}, {TEXTS[name]}) || '… ' || md5({name})"
    return f"case when {is_long(name)} then {short} else {name} end"


def replaced(names: Iterable[str], by: Callable[[str], str]) -> str:
    """Return SQL that puts something made of them in place of columns: name to SQL."""
    return ", ".join(f"{by(name)} as {name}" for name in names)


@contextmanager
def gathered(run_file: Path, work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a working file with `listed_rows` of a run, which is attached as `run`.

    Args:
        run_file: the finished run's DuckDB file.
        work: an empty folder for working files and spills (as large as the rows at
            most); the caller removes it.

    Raises:
        StoppedError, UsageError: as `filed.attached`.
        OSError, duckdb.Error: a file cannot be read or written.
    """
    with (
        database.connect(work / "publication.duckdb") as connection,
        filed.attached(connection, run_file),
    ):
        _gather(connection)
        yield connection


def _gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Join and order: a row per set of the run's month, and per person of an earlier.

    Earlier months have no plan any more. Region and district are those as listed (p26),
    name, address and settlement those of the register. Where a row lies is its place;
    of a month those that a pack has come first. Rows that are held back have no number
    yet, and are of blocked regions alone. `is_person` counts a person of several sets
    once.
    """
    long_bytes = " + ".join(
        f"case when {is_long(name)} then strlen({name}) else 0 end" for name in TEXTS
    )
    connection.execute(
        f"""
        create table listed_rows as
        with places as (
            select
                units.kato,
                units.region_kato,
                units.district_kato,
                case when units.kato not like '%00000' then units.kato end
                    as settlement_kato,
                left(units.name_ru, {NAME_LETTERS}) as name_ru,
                left(units.name_kk, {NAME_LETTERS}) as name_kk,
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
                lists.list_month,
                lists.iin,
                lists.list_no,
                lists.listed_on,
                lists.region_kato,
                lists.district_kato,
                coalesce(plan.primary_ground, lists.primary_ground) as primary_ground,
                lists.grounds,
                lists.standing,
                lists.ended_on,
                lists.ended_reason,
                plan.mode,
                plan.contract_id,
                plan.allocation,
                plan.iban,
                plan.account_iin,
                plan.amount,
                coalesce(plan.delivery_status, lists.delivery_status)
                    as delivery_status,
                coalesce(plan.primary_ground, lists.primary_ground)
                = lists.primary_ground as is_person,
                plan.iin is not null as is_planned,
                plan.list_no is not null and regions.region_kato is not null
                    as is_packed,
                coalesce(plan.paragraph, lists.paragraph) as paragraph,
                regions.norm_cost as set_cost,
                people.last_name,
                people.first_name,
                people.middle_name,
                people.address,
                registered.settlement_kato,
                case when registered.settlement_kato is not null
                    then registered.name_ru end as settlement_ru,
                case when registered.settlement_kato is not null
                    then registered.name_kk end as settlement_kk,
                registered.settlement_name,
                case
                    when people.iin is null then null
                    when registered.kato is null then 'unassigned'
                    when
                        registered.region_kato <> lists.region_kato
                        or registered.district_kato
                        is distinct from lists.district_kato
                        then registered.district_kato
                end as moved_to,
                coalesce(people.long_bytes, 0) as long_bytes,
                coalesce(people.has_commands, false)
                or coalesce(registered.has_commands, false)
                or {has_commands("concat(plan.contract_id, plan.iban)")} as has_commands
            from run.marts.food_set_lists as lists
            left join run.marts.delivery_plan as plan
                on lists.list_month = plan.list_month and lists.iin = plan.iin
            left join run.marts.region_status as regions
                on lists.region_kato = regions.region_kato
                and regions.publication = 'published'
            left join people on lists.iin = people.iin
            left join places as registered on people.kato = registered.kato
        )
        select
            joined.*,
            coalesce(places.place_name, moved_to) as moved_to_name
        from joined
        left join places on joined.moved_to = places.kato
        order by
            joined.region_kato,
            joined.list_month,
            joined.is_packed desc,
            joined.district_kato nulls first,
            joined.iin,
            joined.primary_ground
        """
    )


def _in_okrug(name: str) -> str:
    """Return SQL for a settlement's name behind that of its rural district."""
    whole = f"concat_ws(', ', okrugs.{name}, units.{name})"
    return f"case when units.{name} is not null then {whole} end"


def _place(name_ru: str, name_kk: str) -> str:
    """Return SQL for how a cell shows a place: its names, each once."""
    names = f"concat_ws(' / ', {name_ru}, nullif({name_kk}, {name_ru}))"
    return shown(f"left({names}, {NAME_LETTERS})")
