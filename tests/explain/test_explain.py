"""Explanations: each must be enough to decide anew, without the run's own tables."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from codes_of_models import findings
from filed_run import land_lists
from komek.base import places
from komek.base.errors import KomekError, UsageError
from komek.base.places import Home
from komek.explain import person, render
from komek.explain.person import explain
from komek.explain.words import LANGUAGES
from komek.landing.land import land
from komek.publishing.publication import WAREHOUSE
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


@dataclass(frozen=True)
class Built:
    """A finished run and the home it lies in."""

    home: Home
    run_id: str

    @property
    def file(self) -> Path:
        return self.home.run_file(self.run_id)

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.file}' as run (read_only)")
            connection.execute("use run")
            return connection.execute(sql).fetchall()

    def explain(self, iin: str) -> dict:
        return explain(self.home, iin, self.run_id)


def decide(home: Home, policies: dict[str, str], as_of: date = AS_OF) -> Built:
    run = begin(home, Request(as_of, as_of, policies))
    for layer in build.LAYERS:
        build.layer(run, layer)
    home.runs.mkdir(parents=True, exist_ok=True)
    shutil.move(run.file, home.run_file(run.run_id))
    return Built(home, run.run_id)


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory, small_nation: Path) -> Built:
    home = Home(tmp_path_factory.mktemp("nation"))
    land(home, small_nation, until=AS_OF)
    return decide(home, {})


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


# --- people nobody decided on


def test_someone_the_register_does_not_have(nation: Built) -> None:
    explanation = nation.explain(NOBODY)

    assert explanation["register"]["status"] == "not_in_register"
    assert {d["outcome"] for d in explanation["decisions"]} == {"not_candidate"}
    assert explanation["rows"] == []
    assert "does not have this person" in "\n".join(render(explanation, "en"))


def test_someone_only_the_register_speaks_of(nation: Built) -> None:
    ((iin,),) = nation.rows(
        "select min(iin) from staging.stg_persons where iin not in"
        " (select iin from staging.stg_referenced_persons)"
    )
    explanation = nation.explain(iin)

    assert explanation["register"]["status"] == "in_register_only"
    assert [row["entity"] for row in explanation["rows"]] == ["persons"]
    assert explanation["rows"][0]["values"]["iin"] == iin


def test_someone_whose_rows_were_set_aside(nation: Built) -> None:
    for entity, key in (
        ("persons", "reason like 'missing:%' and length(key) = 12"),
        ("asp_members", "true"),
    ):
        found = nation.rows(
            f"select key, reason from marts.quarantine where entity = '{entity}'"
            f" and {key} order by key"
        )
        for quarantined, reason in found[:1]:
            iin = quarantined.split("|")[-1]
            try:
                explanation = nation.explain(iin)
            except UsageError:  # the fault is the IIN itself
                continue
            aside = {
                reason for row in explanation["set_aside"] for reason in row["reasons"]
            }
            assert reason in aside
            if entity == "persons":
                assert explanation["register"]["status"] == "set_aside"


def test_rows_in_quarantine_are_found_by_the_person_they_speak_of(
    nation: Built,
) -> None:
    ((iin, reason),) = nation.rows(
        "select terms.iin, rejected.reason from staging.rejected_disability_terms as"
        " rejected inner join landing.disability_terms as terms using (source_row)"
        " where rejected.reason = 'duplicate_row' order by all limit 1"
    )
    explanation = nation.explain(iin)

    assert reason in [r for row in explanation["set_aside"] for r in row["reasons"]]
    assert render(explanation, "kk")


@pytest.mark.parametrize(
    "iin", ["", "12345678901", "123456789012", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٢"]
)
def test_what_is_no_iin_is_refused_and_not_repeated(nation: Built, iin: str) -> None:
    with pytest.raises(UsageError) as refused:
        nation.explain(iin)
    assert not iin or iin not in str(refused.value)


@pytest.mark.parametrize("run_id", ["20200420-000000000000", "../komek"])
def test_a_run_that_is_not_finished_is_wrong_usage(nation: Built, run_id: str) -> None:
    with pytest.raises(UsageError, match="no finished run"):
        explain(nation.home, NOBODY, run_id)


def test_nothing_published_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KomekError, match="nothing is published"):
        explain(Home(tmp_path), NOBODY, None)


def test_the_published_run_is_explained_where_none_is_named(
    nation: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(nation.file, tmp_path / WAREHOUSE)
    holding = SimpleNamespace(folder=tmp_path)
    monkeypatch.setattr(person, "current_publication", lambda _home: holding)

    assert explain(nation.home, NOBODY, None) == nation.explain(NOBODY)


def test_a_landed_file_that_is_gone_is_told(nation: Built, tmp_path: Path) -> None:
    elsewhere = Home(tmp_path)
    elsewhere.runs.mkdir(parents=True)
    shutil.copy(nation.file, elsewhere.run_file(nation.run_id))
    ((iin,),) = nation.rows("select min(iin) from marts.food_set_recipients")

    with pytest.raises(KomekError, match="is gone") as failed:
        explain(elsewhere, iin, nation.run_id)
    assert iin not in str(failed.value)


def test_another_language_is_wrong_usage(nation: Built) -> None:
    with pytest.raises(UsageError, match="en, ru, kk"):
        render(nation.explain(NOBODY), "de")


# --- the conditions are the run's own


@pytest.fixture
def altered(nation: Built) -> Iterator[Built]:
    """The same run, filed a second time to be written in."""
    copy = Built(nation.home, "altered")
    shutil.copy(nation.file, copy.file)
    yield copy
    copy.file.unlink()


def write(run: Built, *statements: str) -> None:
    with duckdb.connect(run.file) as connection:
        for statement in statements:
            connection.execute(statement)


def of_ground(run: Built, iin: str, ground: str) -> dict:
    (decision,) = (d for d in run.explain(iin)["decisions"] if d["kind"] == ground)
    return decision


def without_a_term_in_force(run: Built) -> str:
    ((iin,),) = run.rows(
        "select min(iin) from marts.food_set_decisions"
        " where ground = 'p25_3' and reason = 'term_not_in_force'"
    )
    return iin


def test_a_run_has_the_conditions_of_its_models_in_their_order(nation: Built) -> None:
    found: dict[str, list[str]] = {}
    for model, stage, reason in nation.rows(
        "select model, stage, reason from law.conditions order by model, stage"
    ):
        found.setdefault(model, []).append(reason)
        assert stage == len(found[model])

    assert found == {
        path.stem: reasons_of(path.stem)
        for path in places.DBT_PROJECT.glob("models/law/*.sql")
        if "first_failure(" in path.read_text(encoding="utf-8")
    }


def test_a_run_is_explained_by_its_own_conditions(
    nation: Built, altered: Built
) -> None:
    iin = without_a_term_in_force(nation)
    now = of_ground(nation, iin, "p25_3")["conditions"]
    assert [condition["reason"] for condition in now] == reasons_of(
        "p25_3_disability_group"
    )

    write(
        altered,
        "delete from law.conditions where decides = 'p25_3' and reason = 'deceased'",
        "update law.conditions set stage = 0"
        " where decides = 'p25_3' and reason = 'resident_in_institution'",
    )
    told = of_ground(altered, iin, "p25_3")["conditions"]

    assert [(condition["reason"], condition["verdict"]) for condition in told] == [
        ("resident_in_institution", "holds"),
        ("not_in_population_register", "holds"),
        ("term_not_in_force", "fails"),
    ]


def test_the_conditions_are_those_of_the_models_in_force(altered: Built) -> None:
    iin = without_a_term_in_force(altered)
    told = of_ground(altered, iin, "p25_3")
    write(
        altered,
        "insert into law.conditions values ('p25_3', 'older_model', 1, 'no_longer')",
    )

    assert of_ground(altered, iin, "p25_3") == told


def test_a_condition_that_is_not_known_is_told_by_its_reason(altered: Built) -> None:
    iin = without_a_term_in_force(altered)
    write(
        altered,
        *(
            f"update {table} set reason = 'not_heard_of'"
            " where ground = 'p25_3' and reason = 'term_not_in_force'"
            for table in ("marts.food_set_decisions", "law.p25_ledger")
        ),
        "update law.conditions set reason = 'not_heard_of'"
        " where decides = 'p25_3' and reason = 'term_not_in_force'",
    )
    told = of_ground(altered, iin, "p25_3")["conditions"]

    assert [condition["verdict"] for condition in told] == [
        "holds",
        "holds",
        "fails",
        "not_reached",
    ]
    assert told[2]["reason"] == "not_heard_of"
    assert told[2]["observed"] == told[2]["threshold"] == {}
    for lang in LANGUAGES:
        marked = [
            line
            for line in render(altered.explain(iin), lang)
            if line.startswith("    x ")
        ]
        assert sum("not_heard_of" in line for line in marked) == 1


def test_a_run_without_a_table_of_conditions_tells_the_one_that_decided(
    altered: Built,
) -> None:
    iin = without_a_term_in_force(altered)
    known = of_ground(altered, iin, "p25_3")["conditions"]
    write(altered, "drop table law.conditions")

    assert of_ground(altered, iin, "p25_3")["conditions"] == [
        condition for condition in known if condition["verdict"] == "fails"
    ]
