"""Golden rows: a tiny nation of made-up people and the rows the law implies for it.

Everything under `golden/` was written by hand from the Rules; `golden/README.md` says
who is there for which boundary. Nothing there may be copied from a run.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from komek.base.places import Home
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request

GOLDEN = Path(__file__).parents[1] / "golden"
SCENARIOS = yaml.safe_load((GOLDEN / "scenarios.yml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(scenario, path, id=f"{scenario}-{path.stem}")
    for scenario in SCENARIOS
    for path in sorted((GOLDEN / scenario).glob("*.csv"))
]
SHOWN = 5


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("golden") / "home")
    land(home, GOLDEN / "drop")
    return home


@pytest.fixture(scope="module")
def marts(
    home: Home, request: pytest.FixtureRequest
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The run of one scenario; pytest builds it once for all its tables."""
    asked = SCENARIOS[request.param]
    run = begin(
        home,
        Request(asked["as_of"], asked["known_at"], asked.get("policies", {})),
    )
    for layer in build.LAYERS:
        build.layer(run, layer)
    with duckdb.connect(run.file, read_only=True) as connection:
        yield connection


def _only(
    connection: duckdb.DuckDBPyConnection, left: str, right: str
) -> list[tuple[str | None, ...]]:
    return connection.execute(
        f"select * from ({left} except all {right}) order by all"
    ).fetchall()


@pytest.mark.parametrize(
    ("marts", "expected"), CASES, indirect=["marts"], scope="module"
)
def test_rows_are_those_the_law_implies(
    marts: duckdb.DuckDBPyConnection, expected: Path
) -> None:
    """Compare as text, null as null: a date, an amount and a code have one writing."""
    name = f"{expected.parent.name}/{expected.stem}"
    source = f"read_csv('{expected}', header = true, all_varchar = true)"
    columns = [row[0] for row in marts.execute(f"describe from {source}").fetchall()]
    received = ", ".join(
        f'nullif(cast("{column}" as varchar), \'\') as "{column}"' for column in columns
    )
    wanted = f"select * from {source}"
    got = f"select {received} from marts.{expected.stem}"
    missing, unexpected = _only(marts, wanted, got), _only(marts, got, wanted)
    assert not (missing or unexpected), (
        f"{name} ({', '.join(columns)})\n"
        + "\n".join(f"missing: {row}" for row in missing[:SHOWN])
        + "\n"
        + "\n".join(f"unexpected: {row}" for row in unexpected[:SHOWN])
    )


def test_every_scenario_has_expected_rows() -> None:
    folders = {path.name for path in GOLDEN.iterdir() if path.is_dir()} - {"drop"}
    assert folders == set(SCENARIOS)
    assert all(any((GOLDEN / name).glob("*.csv")) for name in SCENARIOS)
