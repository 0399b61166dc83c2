"""Which columns a column is made of: read from the models' SQL, once for their code."""

import json
from pathlib import Path

import pytest

from komek.base.places import Home
from komek.trust import columns
from komek.trust.columns import Lineage, of_models

SCHEMA = {
    "staging": {"rejected_a": {"x": "int"}},
    "facts": {"a": {"x": "int", "y": "int"}},
    "law": {"b": {"z": "int"}},
}
OF_B: Lineage = {"law.b": {"z": [("facts.a", "x"), ("facts.a", "y")]}}


def model(schema: str, name: str, sql: str | None) -> dict[str, str | None]:
    return {
        "resource_type": "model",
        "schema": schema,
        "name": name,
        "compiled_code": sql,
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """dbt's manifest of a project of one model that makes values."""
    nodes = {
        "b": model("law", "b", 'select x + y as z from "run"."facts"."a"'),
        "not_built": model("law", "c", "select 1 as z"),
        "rejected": model("staging", "rejected_a", "select 1 as x"),
        "without_sql": model("facts", "a", None),
        "seed": model("facts", "a", "select 1 as x") | {"resource_type": "seed"},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}))
    return path


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept for every home."""
    folder = tmp_path / "beside"
    folder.mkdir()
    monkeypatch.setattr(columns, "kept_in", lambda: folder)
    return folder


def test_models_that_make_values_are_read(
    tmp_path: Path, manifest: Path, beside: Path
) -> None:
    home = Home(tmp_path / "home")

    assert of_models(home, "1", manifest, SCHEMA) == OF_B

    # For the portal, which reads no project.
    kept = home.reports / "columns" / "1.json"
    assert kept.read_bytes() == (beside / "1.json").read_bytes()
    assert [path.name for path in beside.iterdir()] == ["1.json"]


def test_it_is_worked_out_once_for_a_code_and_every_home(
    tmp_path: Path, manifest: Path, beside: Path
) -> None:
    of_models(Home(tmp_path / "one"), "1", manifest, SCHEMA)
    manifest.write_text(json.dumps({"nodes": {}}))

    assert of_models(Home(tmp_path / "one"), "1", manifest, SCHEMA) == OF_B
    assert of_models(Home(tmp_path / "other"), "1", manifest, SCHEMA) == OF_B
    assert of_models(Home(tmp_path / "other"), "2", manifest, SCHEMA) == {}


def test_what_is_damaged_is_worked_out_anew(
    tmp_path: Path, manifest: Path, beside: Path
) -> None:
    home = Home(tmp_path / "home")
    whole = of_models(home, "1", manifest, SCHEMA)
    files = (beside / "1.json", home.reports / "columns" / "1.json")
    for file in files:
        file.write_bytes(file.read_bytes()[:-5])

    assert of_models(home, "1", manifest, SCHEMA) == whole == OF_B
    assert len({file.read_bytes() for file in files}) == 1


@pytest.mark.parametrize("there", [True, False])
def test_where_it_cannot_be_kept_each_home_works_it_out(
    tmp_path: Path,
    manifest: Path,
    beside: Path,
    there: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = beside / "gone"
    monkeypatch.setattr(columns, "kept_in", lambda: nowhere if there else None)

    for name in ("one", "other"):
        assert of_models(Home(tmp_path / name), "1", manifest, SCHEMA) == OF_B


def test_a_column_is_followed_through_steps_and_unions() -> None:
    schema = {"law": {"a": {"x": "int", "y": "int"}, "b": {"z": "int"}}}
    sql = """
        with both as (
            select x + y as n, x as only_filtered from "run"."law"."a" as a
            union all
            select b.z as n, 0 as only_filtered from "run"."law"."b" as b
        )
        select n from both where only_filtered > 0
    """

    assert columns.of_query(sql, schema) == {
        "n": [("law.a", "x"), ("law.a", "y"), ("law.b", "z")]
    }
