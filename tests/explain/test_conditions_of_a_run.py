"""The conditions that an explanation tells are the run's own."""

import shutil
from pathlib import Path

import duckdb
import pytest

from explained_run import Built
from komek.base import places
from komek.base.places import Home
from komek.explain import render
from komek.explain.words import LANGUAGES
from retold import reasons_of


@pytest.fixture
def altered(nation: Built, tmp_path: Path) -> Built:
    """The same run in a home of its own, to be written in."""
    copy = Built(Home(tmp_path / "home"), nation.run_id)
    copy.home.runs.mkdir(parents=True)
    copy.home.landing.symlink_to(nation.home.landing)
    shutil.copy(nation.file, copy.file)
    return copy


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
