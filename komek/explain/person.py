"""Why a person was decided on as they were: every decision, from the run's own tables.

Reads the run's file and the landed rows that its lineage names; writes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database
from komek.base.errors import KomekError, UsageError
from komek.base.messages import harmless
from komek.base.places import Home
from komek.explain.blocks import Block
from komek.explain.case import Case
from komek.explain.conditions import conditions, told_as
from komek.explain.decisions import Decisions
from komek.explain.judged import Judged
from komek.explain.readings import policies_read
from komek.explain.rows import (
    Citations,
    Place,
    Row,
    SourceRow,
    as_json,
    read_rows,
    records,
    register_row,
    set_aside,
)
from komek.explain.run_tables import RunTables
from komek.publishing.publication import WAREHOUSE, current_publication

_IIN_WEIGHTS: tuple[tuple[int, ...], ...] = ((*range(1, 12),), (*range(3, 12), 1, 2))
# Opens a run's file, for as long as one explanation takes.
Opened = Callable[[Path], AbstractContextManager[duckdb.DuckDBPyConnection]]


def open_run(run_file: Path) -> duckdb.DuckDBPyConnection:
    """Open a run's file as explanations read it.

    Raises:
        UsageError: KOMEK_KEY does not open it.
        duckdb.Error: it cannot be opened.
    """
    connection = database.connect()
    try:
        # Under this name, for the views in it name the file they were made in.
        database.attach(connection, run_file, "run")
        connection.execute("use run")
    except BaseException:
        connection.close()
        raise
    return connection


def explain(
    home: Home, iin: str, run_id: str | None = None, opened: Opened = open_run
) -> dict[str, Any]:
    """Explain every decision of a run on a person.

    Args:
        home: where the run and its snapshots are.
        iin: the person, 12 digits.
        run_id: a finished run; None for the one that is published.
        opened: opens the run's file; who explains much may keep it open.

    Returns:
        Ready for JSON (dates ISO, amounts as text): `iin`; `run`; `register` (what the
        population register has); `recipient` (whether on the list of food sets);
        `context` (the run's dates, values of law); `rules` (whether an edition is in
        force, the first loaded); `policies` and `paragraphs` by
        name; `decisions`, each with outcome, reason, the words it is `told_as`, the
        mart's `values`, what stands `beside` them, `conditions` in the order of the
        law, the names of the `policies` that mattered and the tags of the source
        `rows`; `rows` by tag; `set_aside`: rows about the person in quarantine.

    Raises:
        UsageError: no such run, or not an IIN (the message does not repeat it).
        KomekError: nothing is published, or the run's files cannot be read.
    """
    if not is_iin(iin):
        raise UsageError("not an IIN: it takes 12 digits, of which the last checks")
    run_file = _run_file(home, run_id)
    try:
        with opened(run_file) as connection:
            return _Explanation(home, connection, iin).as_dict()
    except duckdb.Error as error:
        raise KomekError(
            f"cannot explain from {run_file}: {harmless(error)}"
        ) from error


def is_iin(text: str) -> bool:
    """Whether a text is 12 digits, the last of which checks the others."""
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(digit) for digit in text]
    for weights in _IIN_WEIGHTS:
        check = sum(w * d for w, d in zip(weights, digits[:11], strict=True)) % 11
        if check < 10:
            return check == digits[11]
    return False


def _run_file(home: Home, run_id: str | None) -> Path:
    if run_id is None:
        publication = current_publication(home)
        if publication is None:
            raise KomekError(f"nothing is published in {home.root}")
        return publication.folder / WAREHOUSE
    if run_id not in home.run_ids():
        raise UsageError(f"no finished run {run_id!r} in {home.runs}")
    return home.run_file(run_id)


class _Explanation:
    """The reading of one run for one person."""

    def __init__(
        self, home: Home, connection: duckdb.DuckDBPyConnection, iin: str
    ) -> None:
        self._home = home
        self._connection = connection
        self._iin = iin
        (self._context,) = self._records("select * from facts.run_context")
        (self._run,) = self._records("select * from marts.run")

    def _records(self, query: str, *values: object) -> list[Row]:
        return records(self._connection, query, values)

    def as_dict(self) -> dict[str, Any]:
        tables = RunTables(
            self._connection,
            self._iin,
            self._context,
            self._run["list_drawn"],
            self._paragraphs,
        )
        blocks = Decisions(tables).blocks()
        person = self._records("select * from facts.people where iin = ?", self._iin)
        citations = Citations(self._connection, self._iin)
        citations.from_lineage((b.table, b.key) for b in blocks if b.is_decided)
        for block in blocks:
            citations.cite(block.table, block.key, block.cites)
        citations.cite("register", "", (row["person_row"] for row in person))
        # Nobody speaks of them, or the register's own row is in quarantine.
        unknown = (
            [] if person else register_row(self._connection, self._home, self._iin)
        )
        aside = set_aside(self._connection, self._home, self._iin)
        places = [*citations.places()]
        places += [p for p in dict.fromkeys([*unknown, *aside]) if p not in places]
        rows = self._read(places)
        return {
            "iin": self._iin,
            "run": {name: as_json(value) for name, value in self._run.items()},
            "register": self._register(person, unknown, aside, rows),
            "recipient": any(block.kind == "food_set_recipients" for block in blocks),
            "context": {name: as_json(v) for name, v in self._context.items()},
            "rules": self._rules,
            "policies": self._policies,
            "paragraphs": {
                name: edition
                for name, edition in self._paragraphs.items()
                if name in {block.paragraph for block in blocks}
            },
            "decisions": self._explained(tables, blocks, citations, rows),
            "rows": [self._row(place, row) for place, row in rows.items()],
            "set_aside": [
                {"row": rows[place].tag, "reasons": reasons}
                for place, reasons in aside.items()
            ],
        }

    def _read(self, places: list[Place]) -> dict[Place, SourceRow]:
        values = read_rows(self._connection, self._home, places)
        return {
            place: SourceRow(tag, place.entity, values[place])
            for tag, place in enumerate(places, start=1)
        }

    def _register(
        self,
        person: list[Row],
        unknown: list[Place],
        aside: Mapping[Place, list[str]],
        rows: Mapping[Place, SourceRow],
    ) -> dict[str, Any]:
        if person:
            status = "in_register"
        elif any(place not in aside for place in unknown):
            status = "in_register_only"
        else:
            status = "set_aside" if unknown else "not_in_register"
        region = person[0]["region_kato"] if person else None
        names = self._records(
            "select name_ru, name_kk from facts.territories where kato = ?", region
        )
        return {
            "status": status,
            "region_kato": region,
            "district_kato": person[0]["district_kato"] if person else None,
            "region_name_ru": names[0]["name_ru"] if names else None,
            "region_name_kk": names[0]["name_kk"] if names else None,
            "rows": [
                row.tag
                for row in rows.values()
                if row.entity == "persons" and row.values.get("iin") == self._iin
            ],
        }

    @cached_property
    def _snapshots(self) -> dict[str, Row]:
        return {
            row["entity"]: row
            for row in self._records(
                "select entity, snapshot_date, revision, sha256"
                " from landing.landed_snapshots"
            )
        }

    @cached_property
    def _landed(self) -> dict[tuple[str, str], str]:
        return {
            (row["entity"], row["file"]): row["landed_path"]
            for row in self._records("select * from landing.landed_files")
        }

    def _row(self, place: Place, row: SourceRow) -> dict[str, Any]:
        snapshot = self._snapshots[place.entity]
        return {
            "tag": row.tag,
            "entity": place.entity,
            "file": place.file,
            "row_number": place.row_number,
            "landed_path": self._landed[place.entity, place.file],
            "snapshot_date": as_json(snapshot["snapshot_date"]),
            "revision": snapshot["revision"],
            "sha256": snapshot["sha256"],
            "values": dict(row.values),
        }

    @cached_property
    def _paragraphs(self) -> dict[str, Row]:
        """Return the editions in force, with their titles and the act of each."""
        return {
            row["paragraph"]: {name: as_json(value) for name, value in row.items()}
            for row in self._records(
                "select in_force.*, paragraphs.title_en, paragraphs.title_ru,"
                " paragraphs.title_kk, acts.title_en as act_en,"
                " acts.title_ru as act_ru, acts.title_kk as act_kk,"
                " acts.number as act_number, acts.adopted_on, acts.registered_on,"
                " acts.registered_no from law.paragraphs_in_force as in_force"
                " left join law.paragraphs using (paragraph, edition)"
                " left join law.acts on in_force.act_id = acts.act_id order by all"
            )
        }

    @cached_property
    def _rules(self) -> Row:
        """Return whether an edition of the Rules is in force, and the first loaded."""
        (first,) = self._records(
            "select min(valid_from) as first_on, min(recorded_on) as known_on"
            " from law.paragraphs"
        )
        days = {name: as_json(value) for name, value in first.items()}
        return {"in_force": bool(self._paragraphs), **days}

    @cached_property
    def _policies(self) -> dict[str, Row]:
        """Return the policies by name: the run's value beside the policy table's."""
        return {
            row["policy"]: {**row, "overridden": row["value"] != row["table_value"]}
            for row in self._records(
                "select run.policy, run.value, known.value as table_value,"
                " known.paragraph, known.rationale"
                " from facts.run_policies as run"
                " inner join law.policies as known on run.policy = known.policy"
                " where known.recorded_on <= ? and known.valid_from <= ?"
                " qualify row_number() over (partition by run.policy"
                " order by known.valid_from desc, known.recorded_on desc) = 1"
                " order by run.policy",
                self._context["known_at"],
                self._context["as_of"],
            )
        }

    def _explained(
        self,
        tables: RunTables,
        blocks: Iterable[Block],
        citations: Citations,
        rows: Mapping[Place, SourceRow],
    ) -> list[dict[str, Any]]:
        judged = Judged(tables, rows.values())
        explained: list[dict[str, Any]] = []
        for block in blocks:
            places = sorted(
                citations.of(block.table, block.key), key=lambda place: rows[place].tag
            )
            record = citations.place(block.record)
            case = Case(
                iin=self._iin,
                kind=block.kind,
                decision={
                    **block.values,
                    **block.beside,
                    "outcome": block.outcome,
                    "reason": block.reason,
                },
                rows=[rows[p] for p in sorted(places, key=lambda p: p != record)],
                context=self._context,
                terms=judged.terms,
                awards=judged.awards,
                addressees=self._addressees,
                in_hand=judged.in_hand,
                residents=judged.residents,
                reasons=self._reasons.get(block.kind, ()),
            )
            compared = conditions(case) if block.compares else []
            reached = [
                one["condition"] for one in compared if one["verdict"] != "not_reached"
            ]
            policies = policies_read(case, reached, compares=block.compares)
            edition = self._paragraphs.get(block.paragraph, {})
            explained.append(
                {
                    "kind": block.kind,
                    "table": block.table,
                    "key": block.key,
                    "outcome": block.outcome,
                    "reason": block.reason,
                    "told_as": told_as(block, compared),
                    "paragraph": block.paragraph,
                    "edition": edition.get("edition"),
                    "values": {name: as_json(v) for name, v in block.values.items()},
                    "beside": {name: as_json(v) for name, v in block.beside.items()},
                    "conditions": compared,
                    "policies": [name for name in policies if name in self._policies],
                    "rows": [rows[place].tag for place in places],
                }
            )
        return explained

    @cached_property
    def _reasons(self) -> dict[str, list[str]]:
        """Return the reasons that the models in force can give, by what they decide.

        They are in the models' order. A run from before `law.conditions` has none.
        """
        if not self._records(
            "select 1 from information_schema.tables"
            " where (table_schema, table_name) = ('law', 'conditions')"
        ):
            return {}
        return {
            row["decides"]: row["reasons"]
            for row in self._records(
                "select decides, list(reason order by stage) as reasons"
                " from law.conditions semi join law.rules_in_force using (model)"
                " group by decides"
            )
        }

    @cached_property
    def _addressees(self) -> dict[str, str]:
        return {
            str(row["service_code"]): row["addressee"]
            for row in self._records("select service_code, addressee from law.services")
        }
