"""Explanations: each must be enough to decide anew, without the run's own tables."""

import json
import os
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from codes_of_models import findings
from explained_run import Built
from filed_run import land_lists
from komek.base import places
from komek.base.places import Home
from komek.explain import render
from komek.explain.words import LANGUAGES
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request
from more_cases import LISTED, listed_before, write_drop
from retold import reasons_of, retell

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
AS_OF = date(2020, 4, 20)
# The day of the list before.
BEFORE = date(2020, 4, 5)
OTHER_READINGS = {
    "food_set.age_upper": "through_age_18",
    "food_set.carer": "both_parents",
    "food_set.carer_child_age_limit": "16",
    "food_set.institution_scope": "all_grounds",
    "food_set.sets_per_person": "one_per_ground",
    "disability.window": "thirty_days",
    "disability.until": "plus_months",
    "disability.plus_months": "1",
    "disability.age_transition": "examine",
    "food_set.account_of": "own",
    "procedure.from": "emergency",
    "sla.start": "same_day",
    "asp.base": "any_status",
}
JUDGING = [
    path.stem
    for path in (places.DBT_PROJECT / "models" / "law").glob("*.sql")
    if "first_failure(" in path.read_text(encoding="utf-8")
]
# People per kind of decision, outcome and reason; a thousand and more with 60.
SAMPLE = int(os.environ.get("KOMEK_SAMPLE", "4"))
NOBODY = "000000000000"


def decide(home: Home, policies: dict[str, str], as_of: date = AS_OF) -> Built:
    run = begin(home, Request(as_of, as_of, policies))
    for layer in build.LAYERS:
        build.layer(run, layer, docs=False)
    home.runs.mkdir(parents=True, exist_ok=True)
    shutil.move(run.file, home.run_file(run.run_id))
    return Built(home, run.run_id)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The golden nation and more, with the lists that a run before left."""
    root = tmp_path_factory.mktemp("people")
    write_drop(GOLDEN, root / "drop")
    home = Home(root / "home")
    land(home, root / "drop", until=AS_OF)
    before = decide(home, {}, BEFORE)
    land_lists(home, before.file, BEFORE, map(listed_before, LISTED))
    return home


@pytest.fixture(scope="module")
def april(people: Home) -> Built:
    """By the readings in force, but that one parent raises a child."""
    return decide(people, {"food_set.carer": "one_parent"})


@pytest.fixture(scope="module")
def others(people: Home) -> Built:
    return decide(people, OTHER_READINGS)


@pytest.fixture(scope="module", params=["nation", "april", "others"])
def built(request: pytest.FixtureRequest) -> Built:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def sampled(built: Built) -> list[dict]:
    """Explanations of people of every outcome and reason, of each kind of decision."""
    members = "(select iin, award_id from facts.asp_members union all select"
    members += " applicant_iin, award_id from facts.asp_awards)"
    iins = built.rows(
        f"""
        with decided as (
            select iin, ground as kind, outcome, reason, '' as more
            from marts.food_set_decisions
            union all
            select iin, kind, outcome, reason, coalesce(category, '')
            from marts.disability_extensions
            union all
            select members.iin, 'asp', outcome, reason, review_reasons
            from marts.asp_extensions inner join {members} as members using (award_id)
            union all
            select iin, "check", outcome, finding, '' from marts.mse_findings
            union all
            select iin, benefit, basis, null, '' from marts.payout_schedule
            union all
            select iin, 'delivery', finding, null, '' from marts.delivery_findings
            union all
            select iin, 'plan', allocation, delivery_status, standing
            from marts.delivery_plan
            union all
            select iin, 'list', standing, ended_reason, cast(list_month as varchar)
            from marts.food_set_lists
            union all
            select iin, 'queue', cause, null, '' from marts.mse_queue
            union all
            select iin, 'jobseeker', finding, null, '' from marts.jobseeker_findings
            union all
            select cases.iin, step, status, null, '' from marts.case_deadlines as steps
            inner join facts.jobseeker_cases as cases using (case_id)
            union all
            select iin, 'application', finding, null, ''
            from marts.application_findings
            inner join facts.applications using (application_id)
            where iin is not null
        )
        select distinct iin from (
            select iin, row_number() over (
                partition by kind, outcome, reason, more order by hash(iin), iin
            ) as nth
            from decided
        )
        where nth <= {SAMPLE} order by iin
        """
    )
    return [built.explain(iin) for (iin,) in iins]


def test_the_explained_rows_give_the_same_decisions(
    built: Built, sampled: list[dict]
) -> None:
    retold = set()
    for explanation in sampled:
        for decision in explanation["decisions"]:
            if decision["outcome"] != "not_candidate":
                anew, said = retell(explanation, decision)
                assert anew == said
                retold.add((decision["kind"], decision["outcome"], decision["reason"]))
    # Every outcome there is was taken anew.
    assert retold >= set(
        built.rows(
            """
            select distinct ground, outcome, reason from marts.food_set_decisions
            union select distinct 'asp_extensions', outcome, reason
            from marts.asp_extensions
            union select distinct 'disability_extensions', outcome, reason
            from marts.disability_extensions
            union select distinct 'mse_findings', outcome, finding
            from marts.mse_findings
            union select distinct 'delivery_findings', 'finding', finding
            from marts.delivery_findings
            union select distinct 'jobseeker_findings', 'finding', finding
            from marts.jobseeker_findings
            union select distinct 'food_set_lists', standing, ended_reason
            from marts.food_set_lists where standing <> 'held'
            """
        )
    )


@pytest.fixture(scope="module")
def given(april: Built, others: Built) -> set[str]:
    """Every code that the two runs of the people have in a mart."""
    return {
        code
        for run in (april, others)
        for (code,) in run.rows(
            """
            select reason from marts.food_set_decisions
            union select reason from marts.asp_extensions
            union select reason from marts.disability_extensions
            union select finding from marts.mse_findings
            union select finding from marts.application_findings
            union select finding from marts.jobseeker_findings
            union select finding from marts.delivery_findings
            union select status from marts.case_deadlines
            union select cause from marts.mse_queue
            union select standing from marts.food_set_lists
            union select ended_reason from marts.food_set_lists
            union select allocation from marts.delivery_plan
            union select delivery_status from marts.delivery_plan
            """
        )
    }


@pytest.mark.parametrize(
    "code",
    [
        *(code for _, code in findings()),
        *sorted({reason for path in JUDGING for reason in reasons_of(path)}),
        *("entitled", "ended", "held", "no_record"),
        *("allocated", "unallocated", "account", "no_account", "withdrawn"),
        *("delivered", "failed", "returned", "outstanding"),
        *("met", "late", "open", "overdue", "not_applicable", "no_match"),
    ],
)
def test_somebody_is_explained_for_every_code(given: set[str], code: str) -> None:
    assert code in given


def test_a_decision_cites_its_lineage_and_every_row_is_as_received(
    built: Built, sampled: list[dict]
) -> None:
    lineage: dict[tuple[str, str], set] = {}
    for table, key, *place in built.rows(
        "select table_name, row_key, entity, file, row_number from marts.lineage"
    ):
        lineage.setdefault((table, key), set()).add(tuple(place))
    landed = dict(built.rows("select file, landed_path from landing.landed_files"))
    for explanation in sampled:
        rows = {row["tag"]: row for row in explanation["rows"]}
        assert sorted(rows) == list(range(1, len(rows) + 1))
        for decision in explanation["decisions"]:
            cited = {
                (row["entity"], row["file"], row["row_number"])
                for row in map(rows.get, decision["rows"])
            }
            if decision["outcome"] != "not_candidate":
                assert cited == lineage[decision["table"], decision["key"]]
            assert {t for c in decision["conditions"] for t in c["rows"]} <= set(
                decision["rows"]
            )
    with duckdb.connect() as connection:
        for row in sampled[0]["rows"] + sampled[-1]["rows"]:
            assert row["landed_path"] == landed[row["file"]]
            path = built.home.root / row["landed_path"]
            cursor = connection.execute(
                f"select * from read_parquet('{path}')"
                f" limit 1 offset {row['row_number'] - 1}"
            )
            names = [column[0] for column in cursor.description]
            received = dict(zip(names, cursor.fetchone(), strict=True))
            assert row["values"] == {
                name: None if received[name] in (None, "") else str(received[name])
                for name in row["values"]
            }


def test_the_decisions_are_those_of_the_marts(
    built: Built, sampled: list[dict]
) -> None:
    ledger: dict[str, set] = {}
    for iin, ground, outcome, reason in built.rows(
        "select iin, ground, outcome, reason from marts.food_set_decisions"
    ):
        ledger.setdefault(iin, set()).add((ground, outcome, reason))
    recipients = {
        iin for (iin,) in built.rows("select iin from marts.food_set_recipients")
    }
    for explanation in sampled:
        grounds = [
            (d["kind"], d["outcome"], d["reason"])
            for d in explanation["decisions"]
            if d["table"] == "food_set_decisions"
        ]
        assert [kind for kind, *_ in grounds] == [f"p25_{n}" for n in range(1, 6)]
        assert {g for g in grounds if g[1] != "not_candidate"} == ledger.get(
            explanation["iin"], set()
        )
        assert explanation["recipient"] == (explanation["iin"] in recipients)


@pytest.mark.parametrize(
    ("table", "of_person", "key"),
    [
        ("food_set_decisions", "iin", "concat(iin, '|', ground)"),
        ("food_set_lists", "iin", "concat(iin, '|', list_month)"),
        ("delivery_plan", "iin", "concat(iin, '|', primary_ground)"),
        ("delivery_findings", "iin", "delivery_id"),
        ("disability_extensions", "iin", "term_id"),
        ("mse_queue", "iin", "concat(iin, '|', cause)"),
        ("mse_findings", "iin", """concat(term_id, '|', "check")"""),
        ("payout_schedule", "iin", "concat(award_id, '|', month)"),
        ("jobseeker_findings", "iin", "concat(case_id, '|', finding)"),
    ],
)
def test_every_row_about_a_person_is_explained(
    built: Built, sampled: list[dict], table: str, of_person: str, key: str
) -> None:
    rows: dict[str, set] = {}
    for iin, one in built.rows(f"select {of_person}, {key} from marts.{table}"):
        rows.setdefault(iin, set()).add(one)
    for explanation in sampled:
        told = {
            f"{d['key']}|{d['values']['primary_ground']}"
            if table == "delivery_plan"
            else d["key"]
            for d in explanation["decisions"]
            if d["table"] == table and d["outcome"] != "not_candidate"
        }
        assert told == rows.get(explanation["iin"], set())


def test_every_step_and_finding_of_a_persons_cases_is_explained(
    built: Built, sampled: list[dict]
) -> None:
    rows: dict[str, set] = {}
    for iin, *one in built.rows(
        """
        with cases as (
            select 'application' as case_kind, application_id as case_id, iin
            from facts.applications
            union all
            select 'jobseeker', case_id, iin from facts.jobseeker_cases
        )
        select iin, 'case_deadlines', concat_ws('|', case_kind, case_id, step)
        from marts.case_deadlines inner join cases using (case_kind, case_id)
        union all
        select iin, 'application_findings', concat(case_id, '|', finding)
        from marts.application_findings as findings
        inner join cases on findings.application_id = cases.case_id
        """
    ):
        rows.setdefault(iin, set()).add(tuple(one))
    for explanation in sampled:
        told = {
            (d["table"], d["key"])
            for d in explanation["decisions"]
            if d["table"] in ("case_deadlines", "application_findings")
            and d["outcome"] != "not_candidate"
        }
        assert told == rows.get(explanation["iin"], set())


def test_conditions_end_at_the_one_that_decided(sampled: list[dict]) -> None:
    for explanation in sampled:
        for decision in explanation["decisions"]:
            verdicts = [c["verdict"] for c in decision["conditions"]]
            failed = [c for c in decision["conditions"] if c["verdict"] == "fails"]
            if not decision["conditions"]:
                assert decision["outcome"] == "not_candidate"
                continue
            assert [c["reason"] for c in failed] == [
                reason for reason in [decision["reason"]] if reason
            ]
            if failed:
                nth = verdicts.index("fails")
                assert verdicts[:nth] == ["holds"] * nth
                assert set(verdicts[nth + 1 :]) <= {"not_reached"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_explanation_is_told_in_every_language(
    sampled: list[dict], lang: str
) -> None:
    for explanation in sampled:
        told = "\n".join(render(explanation, lang))
        assert "{" not in told
        for row in explanation["rows"]:
            assert f"[{row['tag']}]" in told
            assert row["sha256"] in told


def test_explanations_are_plain_json_and_nothing_is_written(built: Built) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_size, path.stat().st_mtime_ns)
            for path in built.home.root.rglob("*")
        }

    ((iin,),) = built.rows("select min(iin) from marts.food_set_recipients")
    before = state()
    explanation = built.explain(iin)
    assert state() == before
    assert json.loads(json.dumps(explanation)) == explanation
    assert explanation == built.explain(iin)
