"""The models as dbt knows them, on a built run: tests, contracts, failures by name."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlfluff.core import FluffConfig, Linter

from komek.base import grounds, places
from komek.base.errors import StoppedError
from komek.base.places import DBT_PROJECT, Home
from komek.explain.conditions import COMPARED
from komek.explain.readings import POLICIES
from komek.landing.land import land
from komek.runs import build
from komek.runs.invoked import invoke
from komek.runs.layout import begin
from komek.runs.run import Request, Run

AS_OF = date(2020, 4, 20)
# Whose grain dbt tests; that of a mart is checked in every run (expectations/result).
KEYED = ("staging", "facts")
# A macro has no SQL of its own to lint: it is read in a model that calls it.
WRITTEN_BY_MACROS = (
    "stg_asp_awards",
    "rejected_asp_awards",
    "registry_profile",
    "p5_forward",
    "p25_1_asp_child",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, small_nation: Path) -> Run:
    home = Home(tmp_path_factory.mktemp("home"))
    land(home, small_nation, until=AS_OF)
    run = begin(home, Request(AS_OF, AS_OF, {}))
    for layer in build.LAYERS:
        build.layer(run, layer)
    return run


@pytest.fixture(scope="module")
def manifest(built: Run) -> dict[str, Any]:
    return json.loads((built.folder / "dbt/manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = manifest["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model"]


def test_every_unit_test_of_the_models_passes(built: Run) -> None:
    declared = sum(
        path.read_text(encoding="utf-8").count("\n    model: ")
        for path in DBT_PROJECT.glob("models/**/*.yml")
    )

    assert _passed(built, "test_type:unit") == declared
    assert declared > 0


def test_no_model_has_two_rows_of_its_grain(
    built: Run, models: list[dict[str, Any]]
) -> None:
    keyed = [model for model in models if model["schema"] in KEYED]

    assert _passed(built, "test_name:grain_is_unique") == len(keyed)
    assert len(keyed) > len(KEYED)


def test_every_model_is_described_with_its_columns_and_has_a_contract(
    models: list[dict[str, Any]],
) -> None:
    lacking = [
        model["name"]
        for model in models
        if not model["patch_path"]
        or not model["description"]
        or not model["columns"]
        or not model["config"]["contract"]["enforced"]
        or (model["schema"] != "law" and not model["config"]["meta"].get("grain"))
    ]

    assert lacking == []


def test_every_column_of_a_model_a_seed_and_a_registry_is_described(
    manifest: dict[str, Any],
) -> None:
    lacking = [
        f"{node['name']}.{column['name']}"
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        for column in node["columns"].values()
        if not column["description"].strip()
    ]

    assert lacking == []


def test_who_may_read_a_model_follows_from_its_layer(
    models: list[dict[str, Any]],
) -> None:
    access = {
        layer: {
            model["name"]: model["access"]
            for model in models
            if model["schema"] == layer
        }
        for layer in build.LAYERS
    }

    assert set(access["marts"].values()) == {"public"}
    assert set(access["law"].values()) == {"private"}
    assert set(access["facts"].values()) == {"protected"}
    assert {
        name
        for name, who in access["staging"].items()
        if who != "private" and not name.startswith("rejected_")
    } == {
        "registry_profile",
        "stg_bank_accounts",
        "stg_persons",
        "stg_referenced_links",
    }


@pytest.mark.parametrize("name", WRITTEN_BY_MACROS)
def test_the_sql_that_macros_write_is_clean(
    models: list[dict[str, Any]], name: str
) -> None:
    (sql,) = (model["compiled_code"] for model in models if model["name"] == name)
    config = FluffConfig(
        overrides={
            "dialect": "duckdb",
            "templater": "raw",
            "max_parse_depth": 0,
            # Not the layout: it hangs on the caller.
            "rules": "AL,AM,CP,CV,RF,ST",
            # As in pyproject.toml, and: dbt quotes the names of relations.
            "exclude_rules": "ST06,AM04,RF04,RF06",
        }
    )

    found = Linter(config=config).lint_string(sql).get_violations()

    assert [f"{at.rule_code()} line {at.line_no}: {at.desc()}" for at in found] == []


def test_exposures_name_the_marts_that_their_code_reads(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    marts = {model["name"] for model in models if model["schema"] == "marts"}
    read, named = {}, {}
    for exposure in manifest["exposures"].values():
        files = exposure["config"]["meta"].get("code", [])
        code = "".join(
            (places.PACKAGE / file).read_text(encoding="utf-8") for file in files
        )
        if code:
            name = exposure["name"]
            words = set(re.findall(r"marts\.(\w+)|['\"](\w+_\w+)['\"]", code))
            read[name] = marts & {word for pair in words for word in pair}
            named[name] = {
                parent.split(".")[-1] for parent in exposure["depends_on"]["nodes"]
            }

    assert len(read) > 1
    assert named == read


def test_the_grounds_are_known_wherever_something_is_said_of_each(
    models: list[dict[str, Any]],
) -> None:
    listed = grounds.models()
    with (places.LAW_SEEDS / "rules.csv").open(encoding="utf-8") as file:
        in_rules = {row["model"] for row in csv.DictReader(file)}
    with (places.PACKAGE / "explain/words.csv").open(encoding="utf-8") as file:
        words = {row["key"] for row in csv.DictReader(file)}

    assert set(listed.values()) <= {model["name"] for model in models}
    assert set(listed.values()) <= in_rules
    assert {f"title.{ground}" for ground in listed} <= words
    assert {name for name in COMPARED if name.startswith("p25_")} == set(listed)
    assert set(listed) <= set(POLICIES)


@pytest.fixture
def law_changed(built: Run, tmp_path: Path) -> Iterator[Run]:
    """The built run, whose law tables a test may change."""
    kept = shutil.copy(built.file, tmp_path / "kept")
    yield built
    shutil.copy(kept, built.file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "update law.parameters set name = 'unheard_of' where value = 32668",
            "no model computes by the parameter unheard_of: run_context does not list",
        ),
        (
            "update law.policies set policy = 'un.heard_of' where value = '20'",
            "no model computes by the policy un.heard_of: run_context does not list it",
        ),
        (
            "delete from law.parameters where name = 'control_exam_months'",
            "no value of law covers the date: control_exam_months",
        ),
        (
            "delete from law.policies where policy = 'sla.start'",
            "no value of law covers the date: sla.start",
        ),
    ],
)
def test_a_parameter_or_policy_that_does_not_fit_ends_the_run_by_name(
    law_changed: Run, change: str, message: str
) -> None:
    with duckdb.connect(law_changed.file) as connection:
        connection.execute(change)

    with pytest.raises(StoppedError, match=re.escape(message)):
        invoke(law_changed, "context", ["run", "--select", "+run_context"])


def _passed(built: Run, selected: str) -> int:
    """Return how many tests have passed; dbt's call raises with those that fail."""
    invoke(built, "tests", ["test", "--select", selected])
    results = json.loads((built.folder / "dbt/run_results_tests.json").read_text())
    assert {result["status"] for result in results["results"]} == {"pass"}
    return len(results["results"])
