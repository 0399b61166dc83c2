"""`komek diff`: what differs between two runs, and the one cause of each difference.

Compared are the lists' people (whatever sets they get), awards (extended or not, and
their payouts by month) and disability terms. A cause is found by substitution: one
thing at a time in which the runs differ is taken from the second, in this order, and
the run computed again in a scratch home.

data      the snapshots and the working-day calendar
law       the law tables, and what of them is known on known_at
policy    the readings of the law set for the run
time      as_of
code      only today's is at hand: a run by other code is first computed again by
          today's, from all that was its own

The cause of a row that was added is the step in which it appeared for good; of one that
was removed or changed, the step that gave it what it has in the second run for good:
the last such step. So each difference has one cause, and the same two runs have the
same causes always. A step that cannot be computed (no value of law covers it) is taken
together with the next, under that one's name. Where both runs are by one same code that
is not today's, the steps are today's, and a difference that none of them shows is put
down to the first thing in which the runs differ.

Where the cause is data, the changed rows are named: those among the lineage of the
difference that are not in both snapshots as they are; where there is none, those about
the same person. There may be none of either: the list of one can change by the row of
another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from komek import database, law, receipts, registries, rerun, runs, transform
from komek.errors import KomekError, UnwritableError, UsageError, harmless
from komek.places import Home
from komek.registries import Entity
from komek.runs import ROWS_PER_FILE, Request

Receipt = Mapping[str, Any]
Say = Callable[[str], None]

CAUSES = ("data", "law", "policy", "time", "code")


@dataclass(frozen=True)
class Compared:
    """A mart that is compared.

    `key` and `iin` are SQL over `mart` (and `law`); `columns` are those that make a
    difference. `amount`, in tenge, is added up.
    """

    table: str
    what: str
    key: str
    columns: tuple[str, ...]
    iin: str = "mart.iin"
    region: str = "coalesce(people.region_kato, 'unassigned')"
    joined: str = ""
    amount: str | None = None
    # Several rows of one key are compared in this order.
    order: str = "1"
    # The tables whose lineage says why, and the key in their row keys.
    lineage: tuple[str, ...] = ()
    row_key: str = "row_key"


COMPARED = (
    # The list month is the run's, not a person's.
    Compared(
        table="food_set_recipients",
        what="person",
        key="mart.iin",
        columns=(
            "region_kato",
            "district_kato",
            "primary_ground",
            "grounds",
            "mode",
            "set_cost",
        ),
        region="mart.region_kato",
        amount="set_cost",
        order="mart.primary_ground",
        lineage=("food_set_recipients", "food_set_decisions"),
        row_key="split_part(row_key, '|', 1)",
    ),
    Compared(
        table="asp_extensions",
        what="award",
        key="mart.award_id",
        columns=(
            "family_id",
            "outcome",
            "reason",
            "review_reasons",
            "old_period_start",
            "old_period_end",
            "new_period_start",
            "new_period_end",
            "monthly_amount",
        ),
        iin="awards.applicant_iin",
        joined="left join run.law.p12_asp_extension as awards using (award_id)",
        lineage=("asp_extensions",),
    ),
    Compared(
        table="payout_schedule",
        what="award",
        key="concat(mart.award_id, '|', mart.month)",
        columns=(
            "benefit",
            "basis",
            "amount",
            "paid_amount",
            "due_amount",
            "overpaid_amount",
            "pay_on",
        ),
        amount="amount",
        lineage=("payout_schedule",),
    ),
    Compared(
        table="disability_extensions",
        what="term",
        key="mart.term_id",
        columns=(
            "kind",
            "category",
            "outcome",
            "reason",
            "old_valid_until",
            "new_valid_until",
        ),
        lineage=("disability_extensions",),
    ),
)


@dataclass(frozen=True)
class Asked:
    """A run to compute: what is asked of it, and from what.

    `law_of` is the run whose law tables it reads.
    """

    request: Request
    inputs: Sequence[Mapping[str, Any]]
    law_of: str


@dataclass(frozen=True)
class Step:
    """What one substitution leads to; without `asked` it is a run as it is filed."""

    cause: str
    asked: Asked | None = None


@dataclass(frozen=True)
class State:
    """A step that has been computed: its file, and the name its tables get here."""

    name: str
    cause: str
    file: Path


def diff(
    home: Home, first: str, second: str, say: Say = lambda _: None
) -> dict[str, Any]:
    """Compare two filed runs; change nothing.

    Args:
        home: where both are filed.
        first: the run before.
        second: the run after.
        say: takes one line per part of the work, for people.

    Returns:
        Ready for JSON, amounts in tenge as text:

        - first, second: run_id, as_of, known_at, code_version of each;
        - differ: the causes there can be;
        - steps: the causes in the order in which they were substituted;
        - changes: table, what (person, award, term), key, region_kato, change (added,
          removed, changed), cause, columns (of the changed: column, before, after),
          sources (where the cause is data: entity, change, file and row before and
          after, found_by lineage or person);
        - sums: table, region_kato, cause, added, removed, changed, amount_change.

    Raises:
        UsageError: there is no such run.
        KomekError: a run cannot be read or computed.
    """
    before, after = _filed(home, first), _filed(home, second)
    today, differ = runs.code_version(), _differing(before, after)
    try:
        with rerun.scratch_home(home, f"diff-{first}-{second}") as scratch:
            ends = [
                State(name, "", home.run_file(run_id))
                for name, run_id in (("first", first), ("second", second))
            ]
            chain = _Work(home, scratch, say, before, after).computed(
                steps(before, after, today), ends
            )
            with database.connect(scratch.root / "diff.duckdb") as connection:
                connection.execute(f"set memory_limit = '{transform.memory_limit()}'")
                return {
                    "first": _named(before),
                    "second": _named(after),
                    "differ": differ,
                    "steps": [state.cause for state in chain[1:]],
                    **_compared(
                        connection,
                        ends,
                        chain,
                        differ,
                        _entities_apart(before, after),
                    ),
                }
    except duckdb.Error as error:
        reason = harmless(str(error))
        raise KomekError(f"cannot compare {first} with {second}: {reason}") from error


def render(found: Mapping[str, Any]) -> list[str]:
    """Return a diff as lines for people: the sums, then every difference."""
    first, second = found["first"], found["second"]
    lines = [
        f"from {_shown_run(first)} to {_shown_run(second)}",
        f"they differ in: {', '.join(found['differ']) or 'nothing'}",
    ]
    if not found["changes"]:
        return [*lines, "no person, award or term differs"]
    head = ("table", "region", "cause", "added", "removed", "changed", "tenge")
    lines += ["", _columns(head)]
    lines += [
        _columns(
            [
                total["table"],
                total["region_kato"],
                total["cause"],
                f"{total['added']}",
                f"{total['removed']}",
                f"{total['changed']}",
                total["amount_change"] or "",
            ]
        )
        for total in found["sums"]
    ]
    return [*lines, "", *(_line(change) for change in found["changes"])]


def steps(first: Receipt, second: Receipt, today: str) -> list[Step]:
    """Return the steps from one run to another, that of the first run itself included.

    Args:
        first: receipt of the run before.
        second: receipt of the run after.
        today: the version of the code that computes.
    """
    start = Asked(rerun.request_of(first), first["inputs"], first["run_id"])
    asked, found = start, []
    for cause in _differing(first, second):
        if cause != "code":
            asked = _substituted(asked, cause, second)
            found.append(Step(cause, asked))
    codes = first["code_version"], second["code_version"]
    if codes[0] == codes[1] != today and len(found) > 1:
        return [Step("", start), *found]
    if codes[0] != codes[1] and codes[0] != today:
        found.insert(0, Step("code", start))
    if codes[0] != codes[1] and codes[1] != today:
        found.append(Step("code"))
    # The last is the second run itself, and need not be computed.
    return [Step(""), *found[:-1], *(Step(step.cause) for step in found[-1:])]


def _differing(first: Receipt, second: Receipt) -> list[str]:
    """Return in what two runs differ, in order of substitution."""
    names = {
        "data": ("inputs",),
        "law": ("law_sha256", "known_at"),
        "policy": ("policy_overrides",),
        "time": ("as_of",),
        "code": ("code_version",),
    }
    return [
        cause
        for cause in CAUSES
        if any(first[name] != second[name] for name in names[cause])
    ]


def _substituted(asked: Asked, cause: str, second: Receipt) -> Asked:
    """Take one thing from the second run."""
    request, theirs = asked.request, rerun.request_of(second)
    if cause == "data":
        return replace(asked, inputs=second["inputs"])
    if cause == "law":
        request = replace(request, known_at=theirs.known_at)
        return replace(asked, request=request, law_of=second["run_id"])
    if cause == "policy":
        request = replace(request, policy_overrides=theirs.policy_overrides)
    else:
        request = replace(request, as_of=theirs.as_of)
    return replace(asked, request=request)


def _filed(home: Home, run_id: str) -> Receipt:
    if run_id not in set(home.run_ids()):
        raise UsageError(f"there is no run {run_id} in {home.root}")
    return receipts.read(home, run_id)


def _named(receipt: Receipt) -> dict[str, str]:
    names = ("run_id", "as_of", "known_at", "code_version")
    return {name: receipt[name] for name in names}


def _entities_apart(first: Receipt, second: Receipt) -> list[Entity]:
    """Return the registries of which two runs took other snapshots."""
    used = [
        {recorded["entity"]: recorded for recorded in receipt["inputs"]}
        for receipt in (first, second)
    ]
    return [
        entity
        for entity in registries.entities()
        if used[0].get(entity.name) != used[1].get(entity.name)
    ]


@dataclass(frozen=True)
class _Work:
    """Computes steps in a scratch home."""

    home: Home
    scratch: Home
    say: Say
    first: Receipt
    second: Receipt

    def computed(self, steps: Sequence[Step], ends: Sequence[State]) -> list[State]:
        """Compute every step that can be; leave out the others."""
        states = []
        for number, step in enumerate(steps):
            if step.asked is None:
                states.append(replace(ends[number > 0], cause=step.cause))
                continue
            self.say(f"compute the first run with the second's {step.cause} ...")
            try:
                file = self.compute(step.asked)
            except UnwritableError:
                raise
            except KomekError as error:
                self.say(f"not to be computed, taken with what follows: {error}")
                continue
            name = f"step_{number}"
            runs.settle(file)
            place = file.rename(self.scratch.root / f"{name}.duckdb")
            states.append(State(name, step.cause, place))
        return states

    def compute(self, asked: Asked) -> Path:
        """Compute a run in the scratch home; return its file."""
        receipts_by_run = {
            receipt["run_id"]: receipt for receipt in (self.first, self.second)
        }
        theirs = receipts_by_run[asked.law_of]["law_sha256"]
        tables = (
            None if theirs == law.law_sha256() else self.home.run_file(asked.law_of)
        )
        return rerun.build(self.scratch, asked.request, asked.inputs, tables).file


# The comparison, in DuckDB


def _compared(
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


# Lines for people


def _columns(fields: Sequence[str]) -> str:
    table, region, cause, *counts, amount = fields
    return (
        f"{table:24}{region:12}{cause:8}"
        + "".join(f"{count:>10}" for count in counts)
        + f"{amount:>20}"
    )


def _line(change: Mapping[str, Any]) -> str:
    columns = ", ".join(
        f"{column['column']} {_shown(column['before'])} -> {_shown(column['after'])}"
        for column in change["columns"]
    )
    sources = "; ".join(_source(source) for source in change["sources"])
    return (
        f"{change['change']} {change['what']} {change['key']} in {change['table']}"
        f" ({change['region_kato']}): {change['cause']}"
        + (f", {columns}" if columns else "")
        + (f", by {sources}" if sources else "")
    )


def _shown_run(run: Mapping[str, str]) -> str:
    return f"{run['run_id']} (of {run['as_of']}, known {run['known_at']})"


def _shown(value: str | None) -> str:
    return "none" if value is None else f"{value!r}"


def _source(source: Mapping[str, Any]) -> str:
    places = " -> ".join(
        f"{source[f'file_{side}']} row {source[f'row_{side}']}"
        for side in ("before", "after")
        if source[f"file_{side}"]
    )
    return f"{source['entity']} {source['change']} ({places})"
