"""Days far from the emergency, and readers far from the home.

No row with such a day ends a run or what is told of it, and what is published says the
same to whoever takes it, wherever they are.
"""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from komek.base.places import Home
from komek.explain import explain, render
from komek.explain.words import LANGUAGES

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
KOMEK = str(Path(sys.executable).with_name("komek"))
MOTHER, CHILD = "850505400107", "140420600010"
# Whoever is born after the snapshot was taken is in quarantine.
UNBORN = "990323300010"
# By entity, rows to add: the columns that are not named are empty.
ROWS: dict[str, Sequence[dict[str, str]]] = {
    "persons": [
        {
            "iin": UNBORN,
            "last_name": "Far",
            "first_name": "Off",
            "birth_date": "9999-03-23",
            "sex": "M",
        }
    ],
    "asp_awards": [
        {
            "award_id": f"W-{end}",
            "family_id": f"F-{end}",
            "applicant_iin": MOTHER,
            "aid_kind": "unconditional",
            "period_start": "2020-04-01",
            "period_end": end,
            "monthly_amount": "1",
            "status": "active",
        }
        for end in ("9999-12-31", "9999-12-30", "9998-02-28")
    ],
    "asp_members": [
        {"award_id": "W-9999-12-31", "iin": iin} for iin in (MOTHER, CHILD, UNBORN)
    ],
    "disability_terms": [
        {
            "term_id": f"T-{day}",
            "iin": CHILD,
            "kind": "disability",
            "category": "child",
            "established_on": day,
            "valid_until": day,
            "decided_on": "2020-04-02",
            "decision_mode": "in_absentia",
        }
        for day in ("9999-12-31", "9999-03-01", "1900-01-01")
    ],
    "applications": [
        {
            "application_id": f"A-{day}",
            "iin": MOTHER,
            "service_code": "15",
            "submitted_on": day,
        }
        for day in ("0001-01-01", "1900-01-01", "1900-01-02", "1991-12-31")
    ],
    "jobseekers": [
        {
            "case_id": f"J-{day}",
            "iin": MOTHER,
            "registered_on": day,
            "draft_decision_on": drafted,
        }
        for day, drafted in (
            ("0001-01-01", ""),
            ("1900-01-01", ""),
            ("1950-06-15", "1950-06-16"),
            ("2020-04-01", "9999-12-31"),
        )
    ],
}
IMPOSSIBLE = {
    ("persons", "birth_date", UNBORN),
    ("disability_terms", "established_on", "T-1900-01-01"),
    ("disability_terms", "valid_until", "T-1900-01-01"),
    *(
        (entity, column, f"{letter}-{day}")
        for entity, column, letter in (
            ("applications", "submitted_on", "A"),
            ("jobseekers", "registered_on", "J"),
        )
        for day in ("0001-01-01", "1900-01-01")
    ),
}


# A day of the year 10000 in Almaty, and an instant that Python cannot tell there.
INSTANT = """
    copy (
        select
            'T-INSTANT' as term_id,
            $iin as iin,
            'disability' as kind,
            'child' as category,
            null::integer as degree_pct,
            date '2020-04-01' as established_on,
            timestamptz '9999-12-31 23:00:00+00' as valid_until,
            date '2020-04-01' as decided_on,
            'in_absentia' as decision_mode,
            null::date as control_exam_on,
            null::varchar as mse_unit
    ) to '{}'
"""


@dataclass(frozen=True)
class Ended:
    """A run over such days and how it ended."""

    home: Home
    said: subprocess.CompletedProcess[str]

    def rows(self, sql: str) -> set[tuple]:
        with duckdb.connect(self.home.published_warehouse, read_only=True) as opened:
            return set(opened.execute(sql).fetchall())


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("odd_days")
    drop, home = folder / "drop", Home(folder / "home")
    shutil.copytree(GOLDEN, drop)
    for entity, rows in ROWS.items():
        _add(next((drop / entity).rglob("*.csv")), rows)
    part = drop / "disability_terms" / "2020-04-01" / "part-9.parquet"
    duckdb.execute(INSTANT.format(part), {"iin": CHILD})
    run = ["run", "--as-of", "2020-04-20", "--drop", str(drop)]
    said = subprocess.run(
        [KOMEK, *run, "--home", str(home.root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Ended(home, said)


def _add(file: Path, rows: Sequence[dict[str, str]]) -> None:
    text = file.read_text(encoding="utf-8")
    (head,) = csv.reader(text.splitlines()[:1])
    with file.open("a", encoding="utf-8", newline="") as opened:
        csv.DictWriter(opened, head).writerows(rows)


def test_no_row_ends_the_run(ended: Ended) -> None:
    assert ended.said.returncode == 0, ended.said.stderr
    assert ended.rows(
        """
        select entity, split_part(reason, ':', 2), key from marts.quarantine
        where reason like 'impossible_date:%'
        """
    ) == IMPOSSIBLE | {("applications", "submitted_on", "A-0001-01-01")}


def test_the_far_ones_are_judged_as_any_other(ended: Ended) -> None:
    assert ended.rows(
        """
        select iin, outcome from marts.food_set_decisions
        where ground = 'p25_1' and iin in (select iin from facts.asp_members
        where award_id = 'W-9999-12-31')
        """
    ) >= {(CHILD, "met")}
    # The examination is due six months on: on the last day there is.
    assert ended.rows(
        """
        select term_id, due_on::varchar from marts.mse_findings
        where term_id like 'T-9999%' and "check" = 'control_exam'
        """
    ) == {("T-9999-03-01", "9999-09-01"), ("T-9999-12-31", "9999-12-31")}


def test_whoever_they_are_about_is_explained(ended: Ended) -> None:
    """And what no calendar has is told as it was received."""
    for iin, day in (
        (MOTHER, "period_end=9999-12-31"),
        (CHILD, "valid_until=10000-01-01 0"),
        (UNBORN, "birth_date=9999-03-23"),
    ):
        explanation = explain(ended.home, iin)
        for language in LANGUAGES:
            told = "\n".join(render(explanation, language))
            assert day in told


# All that is in a file, to a reader who has nothing else: not the home, not komek.
READS_ALL = """
import json, sys
import duckdb
alone = {"enable_external_access": "false", "autoload_known_extensions": "false"}
with duckdb.connect(sys.argv[1], read_only=True, config=alone) as file:
    (zone,) = file.execute("select current_setting('TimeZone')").fetchone()
    found = {}
    for schema, name in file.execute(
        "select table_schema, table_name from information_schema.tables"
    ).fetchall():
        found[f"{schema}.{name}"] = file.execute(
            "select count(*), md5(string_agg(text, chr(10) order by text))"
            f' from (select r::varchar as text from "{schema}"."{name}" as r)'
        ).fetchone()
print(json.dumps([zone, found]))
"""


def test_what_is_published_is_the_same_to_any_reader(
    ended: Ended, tmp_path: Path
) -> None:
    alone = tmp_path / "elsewhere.duckdb"
    shutil.copy(ended.home.published_warehouse, alone)
    zones, read = set(), []
    for zone in ("America/New_York", "UTC", "Pacific/Kiritimati"):
        said = subprocess.run(
            [sys.executable, "-c", READS_ALL, str(alone)],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"TZ": zone},
        )
        found, relations = json.loads(said.stdout)
        zones.add(found)
        read.append(relations)
    assert len(zones) == 3
    assert read[0] == read[1] == read[2]
    # Views too: they stand on tables of the file.
    assert read[0]["marts.lineage"][0] > 0
    assert not [name for name in read[0] if name.startswith("staging.stg_persons")]
