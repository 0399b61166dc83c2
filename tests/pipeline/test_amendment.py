"""The order amended: rules and values that switch on their date, and not for old runs.

A draft amendment recorded and in force from 5 May 2020 is made to a copy of the
project, in the way README says. It changes five paragraphs at once:

p5      an application is forwarded within one working day (a row of parameters);
p10     a result is notified within so many days of the decision (a parameter, and a
        finding with a model of its own);
p17     the window looks two months back instead of one (a row of parameters);
p25     a sixth ground (a new edition, and a model of its own beside the old ones);
p27     a set costs at least 2.05 monthly indices (a row of parameters).
"""

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from komek.base import places
from komek.base.places import Home
from komek.checks.check import check_result
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request, Run

DROP = Path(__file__).parents[1] / "golden" / "drop"
BEFORE, IN_FORCE, LAST_DAY = date(2020, 5, 4), date(2020, 5, 5), date(2020, 5, 10)

# The act, the values, the editions, and all models that decide by them.
ROWS = {
    "acts": f"""\
order_200,{IN_FORCE},200,,,,Приказ о внесении изменений,Бұйрық,An order that amends,\
Made up: its address was not found.
""",
    "parameters": f"""\
forward_working_days,{IN_FORCE},{IN_FORCE},1,working day,p5,order_200
notify_days,{IN_FORCE},{IN_FORCE},3,day,p10,order_200
look_back_months,{IN_FORCE},{IN_FORCE},2,month,p17,order_200
food_set_floor,{IN_FORCE},{IN_FORCE},2.05,monthly_calculation_index,p27,order_200
""",
    "gaps": """\
parameters,order_200,2020-03-01,2020-05-04,The draft is recorded on 5 May 2020.
""",
    "paragraphs": f"""\
p10,order_200,{IN_FORCE},,{IN_FORCE},order_200,computed,Уведомление,Хабарлау,Notice,
p25,order_200,{IN_FORCE},,{IN_FORCE},order_200,computed,Кому,Кімге,Who is given,
""",
    "rules": """\
p10,order_200,p10_notification
p10,order_200,p10_late_notice
p25,order_200,p25_1_asp_child
p25,order_200,p25_2_disabled_child
p25,order_200,p25_3_disability_group
p25,order_200,p25_4_carer
p25,order_200,p25_5_unemployed
p25,order_200,p25_6_capacity_loss
""",
}
NEW_FINDING = """\
-- p10: the result is notified within notify_days of the decision.
select
    applications.application_id,
    'notified_late' as finding,
    'p10' as paragraph,
    applications.application_row
from {{ ref('governed_applications') }} as applications
cross join {{ ref('run_context') }} as run_context
where
    applications.notified_on
    > {{ add_days('applications.decided_on', 'run_context.notify_days') }}
    and {{ in_force('p10_late_notice', 'applications.submitted_on') }}
"""
NEW_GROUND = """\
-- p25, sixth ground: recipients of the payment for loss of capacity to work.
with candidates as (
    select
        awards.iin,
        awards.award_row,
        people.person_row,
        people.death_date,
        awards.start_on <= run_context.as_of
        and coalesce(awards.stop_on >= run_context.as_of, true) as is_awarded
    from {{ ref('benefit_awards') }} as awards
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on awards.iin = people.iin
    where
        awards.benefit = 'capacity_loss_payment'
        and {{ in_force('p25_6_capacity_loss') }}
)

select
    iin,
    'p25_6' as ground,
    {{ first_failure([
        ("person_row is null", 'not_in_population_register'),
        ("death_date is not null", 'deceased'),
        ("not is_awarded", 'award_not_active'),
    ]) }},
    award_row
from candidates
"""

# What says by which code and tables a run was computed is all that may differ.
IDENTITY = {
    "run": ["run_id", "code_version", "law_sha256", "started_at", "finished_at"],
}

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Runs:
    """The file of the run of the Rules as they are, and those of the amended ones.

    `stopped`: the checks of the result that stop the run in which they are in force.
    """

    as_it_is: Path
    not_yet_known: Path
    in_force: Path
    not_yet_in_force: Path
    stopped: list[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("amendment")
    home = Home(folder / "home")
    land(home, _with_late_notices(folder / "drop"))
    as_it_is = _build(home, LAST_DAY, BEFORE)
    with _project_in(tmp_path_factory.mktemp("project")):
        _amend()
        in_force = _build(home, LAST_DAY, LAST_DAY).file
        return Runs(
            as_it_is=as_it_is.file,
            not_yet_known=_build(home, LAST_DAY, BEFORE).file,
            in_force=in_force,
            not_yet_in_force=_build(home, BEFORE, LAST_DAY).file,
            stopped=check_result(in_force, folder / "report").stopped,
        )


def test_a_run_that_does_not_know_the_amendment_gives_the_old_rows(built: Runs) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built.as_it_is}' as old (read_only)")
        connection.execute(f"attach '{built.not_yet_known}' as new (read_only)")
        tables = _marts(connection, "old")

        assert _marts(connection, "new") == tables
        differing = {
            table: rows for table in tables if (rows := _differing(connection, table))
        }

    assert tables
    assert differing == {}


def test_the_window_of_p17_is_the_amended_one_from_its_day(built: Runs) -> None:
    newly_reached = (
        "select term_id from marts.disability_extensions where old_valid_until"
        " between date '2020-01-16' and date '2020-02-15'"
    )

    assert _window(built.as_it_is) == _window(built.not_yet_known) == date(2020, 2, 16)
    assert _window(built.not_yet_in_force) == date(2020, 2, 16)
    assert _window(built.in_force) == date(2020, 1, 16)
    assert _rows(built.as_it_is, newly_reached) == []
    assert _rows(built.not_yet_in_force, newly_reached) == []
    assert _rows(built.in_force, newly_reached)


def test_the_sixth_ground_of_p25_decides_from_its_day(built: Runs) -> None:
    decided = "select * from marts.food_set_decisions where ground = 'p25_6'"
    listed = "select * from marts.food_set_recipients where contains(grounds, 'p25_6')"

    for run_file in (built.as_it_is, built.not_yet_known, built.not_yet_in_force):
        assert _rows(run_file, decided) == []
        assert _rows(run_file, listed) == []
    assert _rows(built.in_force, decided)
    assert _rows(built.in_force, listed)


def test_who_is_listed_by_the_sixth_ground_rests_on_its_record(built: Runs) -> None:
    of_entity = (
        "select distinct entity from marts.lineage inner join"
        " marts.food_set_recipients on row_key = iin"
        " where table_name = 'food_set_recipients' and primary_ground = 'p25_6'"
    )

    assert ("benefit_awards",) in _rows(built.in_force, of_entity)


def test_the_sixth_ground_has_its_conditions_in_the_run(built: Runs) -> None:
    conditions = (
        "select reason from law.conditions where decides = 'p25_6' order by stage"
    )

    assert _rows(built.as_it_is, conditions) == []
    assert _rows(built.in_force, conditions) == [
        ("not_in_population_register",),
        ("deceased",),
        ("award_not_active",),
    ]


def test_the_five_old_grounds_decide_as_before_under_the_new_edition(
    built: Runs,
) -> None:
    decided = (
        "select * from marts.food_set_decisions where ground in ('p25_1', 'p25_5')"
        " order by all"
    )

    assert _rows(built.in_force, decided) == _rows(built.as_it_is, decided)


def test_a_term_that_is_running_is_not_shortened(built: Runs) -> None:
    """p5: what was submitted in April keeps its two working days, seen from May."""
    steps = (
        "select deadlines.case_id, deadlines.due_on from marts.case_deadlines as"
        " deadlines where step = 'forward' and started_on {} date '2020-05-05'"
        " order by all"
    )

    assert _rows(built.in_force, steps.format("<"))
    assert _rows(built.in_force, steps.format("<")) == _rows(
        built.as_it_is, steps.format("<")
    )
    later = _rows(built.in_force, steps.format(">="))
    assert later
    assert all(
        new < old
        for (_, new), (_, old) in zip(
            later, _rows(built.as_it_is, steps.format(">=")), strict=True
        )
    )


def test_what_began_before_a_finding_existed_is_not_found(built: Runs) -> None:
    """p10: nobody who applied in April could be notified late."""
    late = (
        "select applications.submitted_on from marts.application_findings"
        " inner join facts.applications using (application_id)"
        " where finding = 'notified_late'"
    )
    would_be = (
        "select 1 from law.governed_applications where notified_on > decided_on + 3"
        " and submitted_on < date '2020-05-05'"
    )

    assert _rows(built.in_force, would_be)
    assert {day for (day,) in _rows(built.in_force, late)} == {IN_FORCE}
    assert _rows(built.not_yet_in_force, late) == []


def test_the_floor_of_p27_is_the_amended_one_from_its_day(built: Runs) -> None:
    floor = "select distinct floor_cost from marts.region_status"

    assert _rows(built.not_yet_in_force, floor) == [(Decimal("5556.00"),)]
    assert _rows(built.in_force, floor) == [(Decimal("5694.90"),)]


def test_the_amended_result_passes_every_check(built: Runs) -> None:
    """What is checked is told by the models: no suite names a code of the law."""
    assert built.stopped == []


def _with_late_notices(folder: Path) -> Path:
    """Copy the drop, with results notified four days late: of April, and of 5 May."""
    shutil.copytree(DROP, folder)
    (path,) = (folder / "applications").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (columns, *_) = csv.reader(file)
    with path.open("a", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, columns)
        for name, submitted, notified in (
            ("LATE-1", "2020-05-04", "2020-05-09"),
            ("LATE-2", "2020-05-05", "2020-05-09"),
            ("IN-TIME", "2020-05-05", "2020-05-08"),
        ):
            rows.writerow(
                {
                    "application_id": name,
                    "submitted_on": submitted,
                    "decided_on": "2020-05-05",
                    "notified_on": notified,
                    "notification_channel": "sms",
                }
            )
    return folder


def _build(home: Home, as_of: date, known_at: date) -> Run:
    run = begin(home, Request(as_of, known_at, {}))
    for layer in build.LAYERS:
        build.layer(run, layer, docs=False)
    return run


@contextmanager
def _project_in(folder: Path) -> Iterator[None]:
    """Let runs be computed by a copy of the dbt project, and by the code as it is."""
    for path in (
        places.PACKAGE,
        places.EXPECTATIONS,
        places.PROJECT / "requirements.txt",
    ):
        (folder / path.name).symlink_to(path)
    project = folder / places.DBT_PROJECT.name
    shutil.copytree(
        places.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "PROJECT", folder)
        patch.setattr(places, "PACKAGE", folder / "komek")
        patch.setattr(places, "EXPECTATIONS", folder / "expectations")
        patch.setattr(places, "DBT_PROJECT", project)
        patch.setattr(places, "LAW_SEEDS", project / "seeds" / "law")
        yield


def _amend() -> None:
    for table, rows in ROWS.items():
        path = places.LAW_SEEDS / f"{table}.csv"
        path.write_text(path.read_text(encoding="utf-8") + rows, encoding="utf-8")
    models = places.DBT_PROJECT / "models" / "law"
    (models / "p25_6_capacity_loss.sql").write_text(NEW_GROUND, encoding="utf-8")
    # A ground has the columns of the others but for those of its source rows.
    contract = (models / "p25_5_unemployed.yml").read_text(encoding="utf-8")
    decided, row, _ = contract.partition("      - name: case_row\n")
    assert row
    (models / "p25_6_capacity_loss.yml").write_text(
        decided.replace("p25_5_unemployed", "p25_6_capacity_loss")
        + "      - {name: award_row, description: Source row., data_type: bigint}\n",
        encoding="utf-8",
    )
    (models / "p10_late_notice.sql").write_text(NEW_FINDING, encoding="utf-8")
    contract = (models / "p13_remote_survey.yml").read_text(encoding="utf-8")
    (models / "p10_late_notice.yml").write_text(
        contract.replace("p13_remote_survey", "p10_late_notice")
        .replace("survey_not_remote", "notified_late")
        .replace("[p13]", "[p10]"),
        encoding="utf-8",
    )
    _replace(
        places.DBT_PROJECT / "dbt_project.yml",
        {
            "      model: p25_5_unemployed\n      rows: [case_row, stay_row]\n": (
                "    - {ground: p25_6, model: p25_6_capacity_loss, rows: [award_row]}\n"
            ),
            "      - p10_notification\n": "      - p10_late_notice\n",
        },
    )
    facts = places.DBT_PROJECT / "models" / "facts"
    _replace(
        facts / "run_context.sql",
        {"    'disabled_child_age_to', 'account_age',\n": "    'notify_days',\n"},
    )
    _replace(
        facts / "run_context.yml",
        {
            "        description: Age up to which a parent or guardian receives for"
            " someone (p29).\n        data_type: integer\n": (
                "      - {name: notify_days, description: Days., data_type: integer}\n"
            ),
        },
    )


def _replace(path: Path, added: dict[str, str]) -> None:
    """Add a text behind each of those that stand once in a file."""
    content = path.read_text(encoding="utf-8")
    for text, more in added.items():
        assert content.count(text) == 1, text
        content = content.replace(text, text + more)
    path.write_text(content, encoding="utf-8")


def _marts(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    found = connection.execute(
        "select table_name from information_schema.tables"
        " where (table_catalog, table_schema) = (?, 'marts') order by all",
        [catalog],
    ).fetchall()
    return [name for (name,) in found]


def _differing(connection: duckdb.DuckDBPyConnection, table: str) -> Rows:
    """Return the rows of a mart that only one of the two runs has."""
    left_out = IDENTITY.get(table)
    columns = f"* exclude ({', '.join(left_out)})" if left_out else "*"
    old, new = (f"select {columns} from {run}.marts.{table}" for run in ("old", "new"))
    return connection.execute(
        f"({old} except all {new}) union all ({new} except all {old})"
    ).fetchall()


def _window(run_file: Path) -> date:
    ((day,),) = _rows(run_file, "select window_starts_on from facts.run_context")
    return day


def _rows(run_file: Path, query: str) -> Rows:
    with duckdb.connect(run_file, read_only=True) as connection:
        return connection.execute(query).fetchall()
