"""Files of a run that are checked, and what came of it."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from komek.checks.check import _check
from komek.checks.outcome import Outcome, Result
from komek.checks.suites import Suite, door_suites, result_suites

LIVING, DEAD, CHILD, UNKNOWN = (
    "900101300011",
    "900101300022",
    "150101500033",
    "900101300044",
)
IBAN = "KZ351234567890123456"
PERSONAL = (LIVING, DEAD, CHILD, UNKNOWN, IBAN, "90010130", "Ахметов")
Breaks = dict[tuple[str, str], str]


def execute(file: Path, statements: Iterable[str]) -> None:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)


def check(stage: str, suites: str, file: Path, report: Path, **kwargs) -> Outcome:
    """Check with the named suites only: the rest of the stage takes its time."""
    load = {"door": door_suites, "result": result_suites}[stage]
    chosen = [suite for suite in load() if suite.name in suites.split()]
    return _check(stage, chosen, file, report, kwargs.get("override"))


def by_name(outcome: Outcome) -> dict[tuple[str, str], Result]:
    return {(result.suite, result.name): result for result in outcome.results}


def expected(suites: Iterable[Suite]) -> set[tuple[str, str]]:
    return {
        (suite.name, expectation.name)
        for suite in suites
        for part in suite.parts
        for expectation in part.expectations
    }


def personal_data_in(report: Path) -> list[str]:
    files = [file for file in report.rglob("*") if file.is_file()]
    files = [file for file in files if file.suffix in (".json", ".html")]
    assert files
    return [
        f"{file.name}: {text}"
        for file in files
        for text in PERSONAL
        if text in file.read_text(encoding="utf-8")
    ]
