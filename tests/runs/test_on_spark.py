"""Deciding on Spark: refused where it cannot be, else every table as on DuckDB."""

import subprocess
from pathlib import Path

import pytest

from filed_run import APRIL_20, GOLDEN
from komek.base import places, registries
from komek.base.errors import UsageError
from komek.base.places import Home
from komek.base.settings import KEY
from komek.publishing.publication import current_publication
from komek.runs import on_spark
from komek.runs.landed_views import NUMBERED, LandedView
from komek.trust.contents import contents_of
from komek.trust.receipts import read_receipt

KOMEK = places.PROJECT / ".spark" / "bin" / "komek"
PATIENCE = 600  # seconds


def test_without_its_environment_it_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_spark.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="make spark"):
        on_spark.refuse_impossible()


def test_without_java_it_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(on_spark.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="Java 17"):
        on_spark.refuse_impossible()

    java = tmp_path / "java"
    java.touch(mode=0o700)
    on_spark.refuse_impossible()


def test_what_is_to_be_encrypted_is_not_written_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_spark.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(on_spark, "has_java", lambda: True)
    monkeypatch.setenv(KEY, "a key of thirty letters or more")
    with pytest.raises(UsageError, match=KEY):
        on_spark.refuse_impossible()


@pytest.mark.parametrize(
    ("path", "escaped"),
    [
        ("/home/a b/x.parquet", "/home/a b/x.parquet"),
        ("/h[1]/{a}*?/x", r"/h\[1\]/\{a\}\*\?/x"),
        ("/back`tick", "/back``tick"),
    ],
)
def test_no_path_is_a_pattern(path: str, escaped: str) -> None:
    assert on_spark._escaped(Path(path)) == escaped


def test_only_what_the_engines_write_alike_is_read_from_the_landed_file() -> None:
    entity = registries.entity("benefit_payments")
    types = {
        "iin": "BIGINT",
        "award_id": "DOUBLE",
        "paid_on": "TIMESTAMP",
        "amount": "DOUBLE",
    }
    view = LandedView("benefit_payments", "", types | NUMBERED)

    others = on_spark._read_otherwise(entity, view)
    assert others == ["award_id", "paid_on"]
    selected = on_spark._as_text(view, others)
    assert 'cast("award_id" as varchar) as "award_id"' in selected
    assert "date_trunc('day', \"paid_on\")" in selected
    assert selected.startswith('"iin", ')


def test_the_golden_nation_is_decided_alike_on_both_engines(
    published_golden: Home, tmp_path: Path
) -> None:
    if not KOMEK.exists():
        pytest.skip("make spark: installs Spark into .spark")
    # Nothing in a path is a quote, a pattern or a code of a URL.
    home = tmp_path / "d'Or [1] #%20"
    called = subprocess.run(
        [
            *(KOMEK, "run", "--as-of", APRIL_20.isoformat(), "--engine", "spark"),
            *("--drop", GOLDEN, "--home", home, "--json"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert called.returncode == 0, called.stderr
    ours, theirs = current_publication(published_golden), Home(home)
    assert ours is not None
    run_id = ours.run.run_id

    # It is no part of what a run is, but its receipt names it.
    assert [*theirs.run_ids()] == [run_id]
    assert read_receipt(theirs, run_id)["engine"] == "spark"
    assert contents_of(theirs.run_file(run_id)) == contents_of(
        published_golden.run_file(run_id)
    )
    assert not list(theirs.scratch.iterdir())
