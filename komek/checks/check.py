"""The checks at the door and of the result, and what follows from one that fails.

What is expected stands in `expectations/` as data (komek.checks.suites); Great
Expectations judges (komek.checks.gx), and its results become an outcome here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from komek.base import interrupts
from komek.base.errors import UsageError
from komek.base.files import private_files, put
from komek.checks.outcome import Outcome, Result, Stage, Verdict
from komek.checks.suites import Expectation, Part, Suite, door_suites, result_suites

if TYPE_CHECKING:
    from great_expectations.core import (
        ExpectationSuite,
        ExpectationValidationResult,
    )

    from komek.checks.gx import Question


def check_door(run_file: Path, report: Path, override: str | None = None) -> Outcome:
    """Check what the registries delivered, once it is staged.

    Args:
        run_file: the run's DuckDB file, with schemas landing and staging.
        report: folder of the run's reports; gets validation/door.json and data_docs/.
        override: why the run may go on past tolerance checks, None if it may not.

    Raises:
        UsageError: a suite file is wrong.
    """
    return _check("door", door_suites(), run_file, report, override)


def check_result(run_file: Path, report: Path) -> Outcome:
    """Check the marts: the invariants, and what would look odd in any run.

    Args:
        run_file: the run's DuckDB file, with all its schemas.
        report: folder of the run's reports; gets validation/result.json and data_docs/.

    Raises:
        UsageError: a suite file is wrong.
    """
    return _check("result", result_suites(), run_file, report, None)


def _check(
    stage: Stage,
    suites: Sequence[Suite],
    run_file: Path,
    report: Path,
    override: str | None,
) -> Outcome:
    from komek.checks import gx  # noqa: PLC0415  (it takes seconds)

    # Every suite is built before the first is judged: a wrong one is wrong usage.
    prepared = [
        (suite, [(part, _prepared(suite, part)) for part in suite.parts])
        for suite in suites
    ]
    results: list[Result] = []
    asked: dict[str, dict[str, gx.Question]] = {}
    with gx.opened(run_file) as run:
        tables = _tables(run.connection)
        for suite, parts in prepared:
            questions = asked.setdefault(suite.name, {})
            for number, (part, expectations) in enumerate(parts):
                if part.table not in tables:
                    results.append(_missing(suite, part))
                    continue
                found = gx.validate(
                    run,
                    f"{suite.name}_{number}",
                    part.query or f"select * from {part.table}",
                    expectations,
                    suite.parameters,
                )
                # GX takes an interrupt for an error of the query's.
                interrupts.end_if_heard()
                row = _row(run.connection, part)
                by_name = {gx.name_of(result): result for result in found}
                questions |= {
                    name: gx.question(result, suite.parameters)
                    for name, result in by_name.items()
                }
                findings = {
                    expectation.name: _finding(by_name.get(expectation.name), row)
                    for expectation in part.expectations
                }
                results.extend(_judged(suite, part, findings, override))
    outcome = Outcome(stage, override, tuple(results))
    with private_files():
        _write(outcome, asked, report)
    return outcome


def _prepared(suite: Suite, part: Part) -> "ExpectationSuite":
    """Return the part as a suite of GX."""
    from komek.checks import gx  # noqa: PLC0415  (as above)

    for expectation in part.expectations:
        if not gx.expectation_type_is_known(expectation.type):
            raise UsageError(
                f"suite {suite.name}: {expectation.name}: "
                f"unknown type {expectation.type!r}"
            )
    try:
        return gx.suite(suite.name, part.expectations)
    except (TypeError, ValueError) as error:
        # pydantic's messages have several lines.
        said = " ".join(str(error).split())
        raise UsageError(f"suite {suite.name}: {said}") from error


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables"
    ).fetchall()
    return {name for (name,) in rows}


def _row(connection: duckdb.DuckDBPyConnection, part: Part) -> dict[str, Any]:
    """Return the one row that the part's query gives, empty if there is none."""
    if part.query is None:
        return {}
    try:
        cursor = connection.execute(part.query)
        values = cursor.fetchone() or ()
        names = [column[0] for column in cursor.description or ()]
    except duckdb.Error:
        # The expectations on it failed for the same cause, and say so.
        return {}
    return dict(zip(names, values, strict=False))


def _missing(suite: Suite, part: Part) -> Result:
    names = ", ".join(expectation.name for expectation in part.expectations)
    return Result(
        suite=suite.name,
        name="table_exists",
        severity="critical",
        verdict="stopped",
        success=False,
        unexpected_count=None,
        message=f"{suite.name}: table_exists: there is no table {part.table}, "
        f"no rows to judge {names} on",
        meta={"reason": "What is to be checked must be there."},
    )


@dataclass(frozen=True)
class _Finding:
    """What GX found of one expectation, as far as anyone may see it.

    `regions` has None for rows of no region; `row` is the one the part's query gives.
    """

    success: bool
    error: str | None
    details: Mapping[str, Any]
    regions: Mapping[str | None, int]
    row: Mapping[str, Any]

    def count(self, expectation: Expectation) -> int | None:
        """Return how many rows it is about, None if it passed or cannot tell."""
        if self.success:
            return None
        if expectation.rows is not None:
            told = [self.row.get(expectation.rows)]
        else:
            told = [self.details.get(n) for n in ("unexpected_count", "observed_value")]
        return next((count for count in told if isinstance(count, int)), None)


def _finding(
    result: "ExpectationValidationResult | None", row: Mapping[str, Any]
) -> _Finding:
    from komek.checks import gx  # noqa: PLC0415  (as above)

    if result is None:
        return _Finding(False, "it gave no result", {}, {}, row)
    error = gx.error(result)
    return _Finding(
        success=error is None and bool(result.success),
        error=error,
        details=result.result,
        regions=(result.result.get("details") or {}).get("regions") or {},
        row=row,
    )


def _judged(
    suite: Suite,
    part: Part,
    findings: Mapping[str, _Finding],
    override: str | None,
) -> Iterator[Result]:
    """Yield what follows from each expectation of a part."""
    for expectation in part.expectations:
        finding = findings[expectation.name]
        yield Result(
            suite=suite.name,
            name=expectation.name,
            severity=expectation.severity,
            verdict=_verdict(expectation, finding, override),
            success=finding.success,
            unexpected_count=finding.count(expectation),
            message=_message(suite, expectation, finding),
            meta={
                "type": expectation.type,
                "table": part.table,
                "reason": expectation.reason,
                "paragraph": expectation.paragraph,
                "scope": expectation.scope,
                "tolerance": expectation.tolerance,
            },
            regions=dict(_by_region(finding)),
        )


def _verdict(
    expectation: Expectation, finding: _Finding, override: str | None
) -> Verdict:
    verdict: Verdict = "stopped"
    if finding.success:
        verdict = "passed"
    elif finding.error is not None:
        # A check that could not be made has not been passed, whatever its severity.
        verdict = "stopped"
    elif expectation.severity == "warning":
        verdict = "warned"
    elif expectation.scope == "region":
        # Rows of no region cannot be kept back with one.
        regions = finding.regions
        verdict = "blocked" if regions and None not in regions else "stopped"
    elif _only_warns(expectation, finding):
        verdict = "warned"
    elif expectation.tolerance and override:
        verdict = "overridden"
    return verdict


def _only_warns(expectation: Expectation, finding: _Finding) -> bool:
    """Say whether a tolerance is about a registry too small to be held to it."""
    is_small = bool(finding.row.get("is_small"))
    return expectation.tolerance and is_small and not expectation.small_too


def _message(suite: Suite, expectation: Expectation, finding: _Finding) -> str:
    told = f"{suite.name}: {expectation.name}"
    if finding.success:
        return f"{told}: ok"
    if finding.error is not None:
        return f"{told}: could not be checked on any rows: {finding.error}"
    count = finding.count(expectation)
    if count is None:
        told = f"{told}: failed"
    else:
        told = f"{told}: {count} {'row' if count == 1 else 'rows'}"
    notes = list(_notes(expectation, finding))
    return f"{told} ({'; '.join(notes)})" if notes else told


def _notes(expectation: Expectation, finding: _Finding) -> Iterator[str]:
    column = str(expectation.kwargs.get("column"))
    if column in finding.row:
        yield f"{column} is {_shown(finding.row[column])}"
    mismatched = (finding.details.get("details") or {}).get("mismatched") or {}
    if mismatched.get("missing"):
        yield f"missing {', '.join(mismatched['missing'])}"
    if finding.regions:
        yield ", ".join(f"{region}: {rows}" for region, rows in _by_region(finding))


def _by_region(finding: _Finding) -> list[tuple[str, int]]:
    return sorted((str(region), rows) for region, rows in finding.regions.items())


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(
    outcome: Outcome, asked: "Mapping[str, Mapping[str, Question]]", report: Path
) -> None:
    """Write the outcome as JSON, the suites' pages, and the page that leads to them."""
    from komek.checks import gx  # noqa: PLC0415  (as above)

    results = report / "validation"
    docs = report / "data_docs"
    (docs / outcome.stage).mkdir(parents=True, exist_ok=True)
    told = outcome.as_json()
    # Whole or not at all: whoever writes the index after a crash reads both.
    put(
        results / f"{outcome.stage}.json",
        (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode(),
    )
    pages = gx.Pages()
    for name, questions in asked.items():
        page = docs / outcome.stage / f"{name}.html"
        page.write_text(
            pages.suite(report.name, told, name, questions), encoding="utf-8"
        )
    stages = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in (results / "door.json", results / "result.json")
        if file.exists()
    ]
    index = pages.index(report.name, stages)
    (docs / "index.html").write_text(index, encoding="utf-8")
