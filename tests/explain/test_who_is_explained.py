"""Who can be explained, and from which run."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from explained_run import Built
from komek.base.errors import KomekError, UsageError
from komek.base.places import Home
from komek.explain import person, render
from komek.explain.person import explain
from komek.publishing.publication import WAREHOUSE

NOBODY = "000000000000"


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


def test_a_run_of_an_earlier_version_finds_them_in_what_landed(
    nation: Built, tmp_path: Path
) -> None:
    ((iin,),) = nation.rows(
        "select about from staging.rejected_disability_terms"
        " where reason = 'duplicate_row' order by all limit 1"
    )
    earlier = tmp_path / nation.file.name
    shutil.copy(nation.file, earlier)
    with duckdb.connect(earlier) as connection:
        connection.execute(
            "alter table staging.rejected_disability_terms drop column about"
        )

    found = explain(
        nation.home, iin, nation.run_id, lambda _file: person.open_run(earlier)
    )
    assert found == nation.explain(iin)


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
