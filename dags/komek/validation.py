"""The checks at the door and of the result, and what follows from one that fails.

What is expected stands in `expectations/` as data: `door/` has a suite per registry,
`result/` one per mart, `shared/` what many suites have in common. Great Expectations
judges (komek.gx); here a suite file becomes GX's suite, and GX's results an outcome.

A suite file::

    name: asp_extensions              entity or mart
    table: marts.asp_extensions       what its expectations are about
    query: select ...                 where that is not the whole table: one row of
                                      counts, never a column of a register
    key: [mart.award_id]              of a mart: its grain, for $row_key
    include: [grain, decision]        shared/<name>.yml
    expectations:
      - type: expect_no_rows          GX's own, or one of komek.gx
        kwargs: {unexpected_rows_query: select 1 from $table as mart where ...}
        severity: critical            or warning
        meta:
          name: grain_is_unique       unique in the suite
          reason: why it must hold, for people
          paragraph: p12              where the order demands it
          scope: region               only the regions it fails in are blocked
          tolerance: true             --override goes on past it
          rows: rows_received         column of `query`: how many rows it is about

In texts `$name` is a parameter, `$$` a dollar; `{$PARAMETER: name}` is GX's own way to
name one. At the door the parameters are the entity's key, columns and tolerances.
"""

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any, Literal

import duckdb
import yaml

from komek import places, registries
from komek.errors import StoppedError, UsageError, listed
from komek.files import put
from komek.lock import private_files

Stage = Literal["door", "result"]
Verdict = Literal["passed", "warned", "overridden", "blocked", "stopped"]

_SUITE_KEYS = {"name", "table", "query", "key", "include", "expectations"}
_EXPECTATION_KEYS = {"type", "kwargs", "severity", "meta"}
_META_KEYS = {"name", "reason", "paragraph", "scope", "tolerance", "rows"}
_SEVERITIES = ("critical", "warning")
_SCOPES = ("run", "region")


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite file."""

    name: str
    type: str
    kwargs: dict[str, Any]
    severity: Literal["critical", "warning"]
    reason: str
    paragraph: str | None = None
    scope: Literal["run", "region"] = "run"
    tolerance: bool = False
    rows: str | None = None


@dataclass(frozen=True)
class Part:
    """Expectations about one table, or about what one query gives."""

    table: str
    query: str | None
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Suite:
    """What is expected of one registry or mart."""

    name: str
    parts: tuple[Part, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What came of one expectation; counts and codes, never a value of a register.

    `regions` has the number of rows per region_kato where the scope is the region.
    """

    suite: str
    name: str
    severity: str
    verdict: Verdict
    success: bool
    unexpected_count: int | None
    message: str
    meta: dict[str, Any]
    regions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of all checks of a stage."""

    stage: Stage
    override: str | None
    results: tuple[Result, ...]

    def _messages(self, verdict: Verdict) -> list[str]:
        return [result.message for result in self.results if result.verdict == verdict]

    @property
    def warnings(self) -> list[str]:
        """What people should know, and nothing stops for."""
        return self._messages("warned")

    @property
    def stopped(self) -> list[str]:
        """What stops the run."""
        return self._messages("stopped")

    @property
    def overridden(self) -> list[str]:
        """Tolerance checks that failed and were passed by override: suite.name."""
        return [
            f"{result.suite}.{result.name}"
            for result in self.results
            if result.verdict == "overridden"
        ]

    @property
    def blocked_regions(self) -> dict[str, str]:
        """The expectation that blocks a region's publication, by region_kato."""
        blocked: dict[str, str] = {}
        for result in self.results:
            if result.verdict == "blocked":
                for region in result.regions:
                    blocked.setdefault(region, result.name)
        return dict(sorted(blocked.items()))

    def raise_if_stopped(self) -> None:
        """Stop the run if a check demands it.

        Raises:
            StoppedError: names every entity or table, expectation and number of rows.
        """
        if self.stopped:
            raise StoppedError(
                f"{self.stage} check failed: {listed(self.stopped, '; ')}"
            )

    def as_json(self) -> dict[str, Any]:
        """Return what the report keeps."""
        return {
            "stage": self.stage,
            "override": self.override,
            "stopped": self.stopped,
            "overridden": self.overridden,
            "blocked_regions": self.blocked_regions,
            "warnings": self.warnings,
            "results": [asdict(result) for result in self.results],
        }


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


def door_suites(folder: Path = places.EXPECTATIONS) -> tuple[Suite, ...]:
    """Read the suites of the door, one per entity of the registry table.

    Raises:
        UsageError: a suite file is missing or wrong.
    """
    return tuple(
        _suite(folder, folder / "door" / f"{entity.name}.yml", _about(entity))
        for entity in registries.entities()
    )


def result_suites(folder: Path = places.EXPECTATIONS) -> tuple[Suite, ...]:
    """Read the suites of the result, one per mart.

    Raises:
        UsageError: a suite file is wrong, or there is none.
    """
    files = sorted((folder / "result").glob("*.yml"))
    if not files:
        raise UsageError(f"no suite files in {folder / 'result'}")
    names = [entity.name for entity in registries.entities()]
    parameters = {"entities": names, "entity_count": len(names)}
    return tuple(_suite(folder, file, parameters) for file in files)


def _about(entity: registries.Entity) -> dict[str, Any]:
    return {
        "entity": entity.name,
        "key": ", ".join(entity.key),
        "landed_columns": ["source_row", "malformed", *entity.column_names],
        **asdict(entity.tolerance),
    }


def _suite(folder: Path, file: Path, parameters: Mapping[str, Any]) -> Suite:
    content = _read(file)
    if content.get("name") != file.stem:
        raise UsageError(f"{file}: name must be {file.stem!r}")
    key = content.get("key", [])
    parameters = {
        "table": content.get("table", ""),
        "mart": file.stem,
        "row_key": f"concat_ws('|', {', '.join(key)})",
        "key_is_incomplete": " or ".join(f"{column} is null" for column in key),
        **parameters,
    }
    own = [content]
    parts = []
    for name in content.get("include", []):
        shared = _read(folder / "shared" / f"{name}.yml")
        if "table" in shared:
            parts.append(_part(file, [shared], parameters))
        else:
            own.append(shared)
    if "table" in content:
        parts.append(_part(file, own, parameters))
    names = [known.name for part in parts for known in part.expectations]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{file}: two expectations are named {name!r}")
    return Suite(name=file.stem, parts=tuple(parts), parameters=parameters)


def _part(
    file: Path, contents: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Part:
    about = contents[0]
    query = about.get("query")
    return Part(
        table=_filled(file, about["table"], parameters),
        query=None if query is None else _filled(file, query, parameters),
        expectations=tuple(
            _expectation(file, declared, parameters)
            for content in contents
            for declared in content.get("expectations") or []
        ),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the suite {file}: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file}: a suite is a mapping")
    _refuse_unknown(file, content, _SUITE_KEYS)
    return content


def _expectation(
    file: Path, declared: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Expectation:
    _refuse_unknown(file, declared, _EXPECTATION_KEYS)
    meta = declared.get("meta") or {}
    _refuse_unknown(file, meta, _META_KEYS)
    for what, where in (("type", declared), ("name", meta), ("reason", meta)):
        if not where.get(what):
            raise UsageError(f"{file}: an expectation without {what}")
    expectation = Expectation(
        type=declared["type"],
        kwargs=_filled(file, declared.get("kwargs") or {}, parameters),
        severity=declared.get("severity", "critical"),
        **meta,
    )
    if expectation.severity not in _SEVERITIES:
        raise UsageError(
            f"{file}: {expectation.name}: severity is one of {_SEVERITIES}"
        )
    if expectation.scope not in _SCOPES:
        raise UsageError(f"{file}: {expectation.name}: scope is one of {_SCOPES}")
    return expectation


def _refuse_unknown(file: Path, found: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(found) - known):
        raise UsageError(f"{file}: unknown key {', '.join(unknown)}")


def _filled(file: Path, value: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Fill in the parameters of a text, or of the texts in a list or mapping."""
    if isinstance(value, str):
        try:
            return Template(value).substitute(parameters)
        except (KeyError, ValueError) as error:
            raise UsageError(f"{file}: unknown parameter in {value!r}") from error
    if isinstance(value, list):
        return [_filled(file, item, parameters) for item in value]
    if isinstance(value, dict):
        named = value.get("$PARAMETER")
        if named is not None and named not in parameters:
            raise UsageError(f"{file}: unknown parameter {named!r}")
        return {name: _filled(file, item, parameters) for name, item in value.items()}
    return value


def _great_expectations() -> ModuleType:
    # Here and not at the top: the import takes seconds.
    return importlib.import_module("komek.gx")


def _check(
    stage: Stage,
    suites: Sequence[Suite],
    run_file: Path,
    report: Path,
    override: str | None,
) -> Outcome:
    gx = _great_expectations()
    # Every suite is built before the first is judged: a wrong one is wrong usage.
    prepared = [
        (suite, [(part, _prepared(gx, suite, part)) for part in suite.parts])
        for suite in suites
    ]
    results: list[Result] = []
    evidence: dict[str, list[Any]] = {}
    with gx.opened(run_file) as connection:
        tables = _tables(connection)
        for suite, parts in prepared:
            shown = evidence.setdefault(suite.name, [])
            for part, expectations in parts:
                if part.table not in tables:
                    results.append(_missing(suite, part))
                    continue
                found = gx.validate(
                    connection,
                    part.query or f"select * from {part.table}",
                    expectations,
                    suite.parameters,
                )
                shown.extend(found)
                row = _row(connection, part)
                by_name = {
                    result.expectation_config.meta["name"]: result for result in found
                }
                findings = {
                    expectation.name: _finding(gx, by_name.get(expectation.name), row)
                    for expectation in part.expectations
                }
                results.extend(_judged(suite, part, findings, override))
    outcome = Outcome(stage, override, tuple(results))
    with private_files():
        _write(gx, outcome, evidence, report)
    return outcome


def _prepared(gx: ModuleType, suite: Suite, part: Part) -> Any:  # noqa: ANN401
    """Return the part as a suite of GX."""
    for expectation in part.expectations:
        if not gx.expectation_type_is_known(expectation.type):
            raise UsageError(
                f"suite {suite.name}: {expectation.name}: "
                f"unknown type {expectation.type!r}"
            )
    try:
        return gx.suite(
            suite.name,
            [
                {
                    "type": expectation.type,
                    "kwargs": expectation.kwargs,
                    "severity": expectation.severity,
                    "meta": {"name": expectation.name},
                }
                for expectation in part.expectations
            ],
        )
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
            return self.row.get(expectation.rows)
        for name in ("unexpected_count", "observed_value"):
            if isinstance(self.details.get(name), int):
                return self.details[name]
        return None


def _finding(gx: ModuleType, result: Any, row: Mapping[str, Any]) -> _Finding:  # noqa: ANN401
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
    elif expectation.tolerance and finding.row.get("is_small"):
        verdict = "warned"
    elif expectation.tolerance and override:
        verdict = "overridden"
    return verdict


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
    column = expectation.kwargs.get("column")
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
    gx: ModuleType,
    outcome: Outcome,
    evidence: Mapping[str, Sequence[Any]],
    report: Path,
) -> None:
    """Write the outcome as JSON, the suites' pages, and the page that leads to them."""
    results = report / "validation"
    docs = report / "data_docs"
    (docs / outcome.stage).mkdir(parents=True, exist_ok=True)
    # Whole or not at all: whoever writes the index after a crash reads both.
    put(
        results / f"{outcome.stage}.json",
        (json.dumps(outcome.as_json(), ensure_ascii=False, indent=1) + "\n").encode(),
    )
    pages = gx.Pages()
    for name, found in evidence.items():
        page = docs / outcome.stage / f"{name}.html"
        page.write_text(pages.suite(name, found), encoding="utf-8")
    stages = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in (results / "door.json", results / "result.json")
        if file.exists()
    ]
    index = pages.index(report.name, stages)
    (docs / "index.html").write_text(index, encoding="utf-8")
