"""Great Expectations over a run's DuckDB file.

The one module that imports Great Expectations, which takes seconds: import it inside
the function that validates, never at the top of a module.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, ClassVar, cast

import duckdb
from duckdb_engine import ConnectionWrapper, CursorWrapper
from great_expectations.compatibility import pydantic
from great_expectations.core import (
    ExpectationSuite,
    ExpectationValidationResult,
)
from great_expectations.data_context.data_context.context_factory import set_context
from great_expectations.data_context.data_context.ephemeral_data_context import (
    EphemeralDataContext,
)
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.exceptions.exceptions import ExpectationNotFoundError
from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)
from great_expectations.expectations.expectation_configuration import (
    ExpectationConfiguration,
)
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.render.renderer.inline_renderer import InlineRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from komek.base import database, places
from komek.base.messages import about_a_query
from komek.checks.suites import Expectation

# Counts only: no value of a column ever reaches a result.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


class _Query(UnexpectedRowsExpectation):
    """A query that names its tables itself instead of by `{batch}`.

    The parent puts a subquery with an alias of its own in place of `{batch}`, and
    prints a line for each query without it.
    """

    @pydantic.validator("unexpected_rows_query")
    def _validate_query(cls, query: str) -> str:  # noqa: N805 (pydantic's)
        return query


class ExpectNoRows(_Query):
    """Expect that a query returns no row, and count the rows where it does.

    The parent asks twice, for the rows and for their number; this one only for the
    number: half the work, and no row of a register is ever in a result.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (
        "unexpected_rows_query.row_count",
    )

    def _validate(
        self, metrics: dict[str, Any], *_: object, **__: object
    ) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}


class ExpectNoRowsInAnyRegion(_Query):
    """Expect that a query returns no row; a row is (region_kato, rows) and no more.

    The result's details tell how many rows are wrong in each region.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table",)

    def _validate(
        self, metrics: dict[str, Any], *_: object, **__: object
    ) -> dict[str, Any]:
        regions = {
            row["region_kato"]: int(row["rows"])
            for row in metrics["unexpected_rows_query.table"]
        }
        return {
            "success": not regions,
            "result": {
                "observed_value": sum(regions.values()),
                "details": {"regions": regions},
            },
        }


class _ReadOnlyConnection:
    """What SQLAlchemy may do with the run's connection: read.

    Through the generic SQL source GX closes the connection before it fetches, and
    DuckDB drops the pending result at the rollback: here both do nothing.
    """

    notices: ClassVar[tuple[str, ...]] = ()

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> CursorWrapper:
        # As much of one as SQLAlchemy asks for.
        us = cast("ConnectionWrapper", self)
        return CursorWrapper(database.cursor(self._connection), us)

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class _Context(EphemeralDataContext):
    """A context that lives as long as the checks, and is written nowhere.

    GX makes YAML of its whole configuration at each asset that is added, keeps it or
    not: for a hundred of them that costs more than the checks.
    """

    def _save_project_config(self) -> None:
        """Keep nothing."""


@dataclass(frozen=True)
class Opened:
    """A run's file open for reading: for DuckDB, and as a source of GX's."""

    connection: duckdb.DuckDBPyConnection
    source: SQLDatasource


@contextmanager
def opened(run_file: Path) -> Iterator[Opened]:
    """Open a run's file for reading."""
    context = _Context(
        project_config=DataContextConfig(
            # Else every context leaves a folder in /tmp.
            store_backend_defaults=InMemoryStoreBackendDefaults(
                init_temp_docs_sites=False
            ),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    set_context(context)
    with database.connect(run_file, read_only=True) as connection:
        options: dict[str, Any] = {
            "connection_string": "duckdb:///",
            "kwargs": {"creator": lambda: _ReadOnlyConnection(connection)},
        }
        yield Opened(connection, context.data_sources.add_sql("run", **options))


def expectation_type_is_known(expectation_type: str) -> bool:
    """Return whether a suite may use an expectation of this type."""
    try:
        get_expectation_impl(expectation_type)
    except ExpectationNotFoundError:
        return False
    return True


def suite(name: str, expectations: Sequence[Expectation]) -> ExpectationSuite:
    """Build a GX suite.

    Raises:
        ValueError: kwargs that the type does not take (pydantic's error is one).
    """
    return ExpectationSuite(
        name=name,
        expectations=[
            ExpectationConfiguration(
                type=expectation.type,
                kwargs=dict(expectation.kwargs),
                meta={"name": expectation.name},
                severity=FailureSeverity(expectation.severity),
            ).to_domain_obj()
            for expectation in expectations
        ],
    )


def validate(
    run: Opened,
    name: str,
    batch: str,
    expectations: ExpectationSuite,
    parameters: Mapping[str, Any],
) -> list[ExpectationValidationResult]:
    """Validate what a query gives.

    Args:
        run: the run's file.
        name: what the batch is called; each has a name of its own.
        batch: the query.
        expectations: what must hold of the batch.
        parameters: values of the suite's `$PARAMETER`s.

    Returns:
        One result per expectation, in no order: each is known by its meta's name.
    """
    # A table asset in a schema has no columns for GX: its reflection fails on DuckDB,
    # and what it falls back on forgets the schema.
    asset = run.source.add_query_asset(name, query=batch)
    outcome = (
        asset.add_batch_definition("whole")
        .get_batch()
        .validate(
            expectations,
            result_format=_COUNTS_ONLY,
            expectation_parameters=dict(parameters),
        )
    )
    return outcome.results


def name_of(result: ExpectationValidationResult) -> str:
    """Return the name that the suite gives what was validated."""
    return str(_configuration(result).meta["name"])


def error(result: ExpectationValidationResult) -> str | None:
    """Return what an expectation raised, without what may quote a value.

    None where it raised nothing.
    """
    found = result.exception_info or {}
    entries = [found] if "raised_exception" in found else list(found.values())
    for entry in entries:
        if entry.get("raised_exception"):
            said = about_a_query(str(entry.get("exception_message")))
            return said or "it raised an error"
    return None


@dataclass(frozen=True)
class Question:
    """What GX was asked of the data, and what it counted, as a page may show it.

    Attributes:
        words: what is expected, in GX's words.
        query: the query that finds what is wrong, where there is one.
        found: the number that GX gives, without its other values; '' if it gives none.
    """

    words: str
    query: str | None
    found: str


def question(
    result: ExpectationValidationResult, parameters: Mapping[str, Any]
) -> Question:
    """Return what was asked.

    Args:
        result: what GX made of an expectation.
        parameters: values of the suite's `$PARAMETER`s.
    """
    configuration = _configuration(result)
    kwargs = {
        name: parameters[value["$PARAMETER"]]
        if isinstance(value, dict) and "$PARAMETER" in value
        else value
        for name, value in configuration.kwargs.items()
        # Of the batch, not of the expectation.
        if name != "batch_id"
    }
    query = kwargs.get("unexpected_rows_query")
    words = "The query finds no row."
    if not query:
        words = _in_words(configuration.type, json.dumps(kwargs, sort_keys=True))
    return Question(words, query, _number(result))


@cache
def _in_words(expectation_type: str, kwargs: str) -> str:
    """Return what an expectation of these arguments (JSON) expects, in GX's words."""
    asked = ExpectationConfiguration(type=expectation_type, kwargs=json.loads(kwargs))
    (content,) = InlineRenderer(render_object=asked).get_rendered_content()
    value = content.value
    named = {name: str(given["value"]) for name, given in (value.params or {}).items()}
    return Template(value.template or "").safe_substitute(named)


def _number(result: ExpectationValidationResult) -> str:
    """Return the rows or the value that GX counted: never a value of a register."""
    counts = ("observed_value", "unexpected_count")
    found = (result.result.get(name) for name in counts)
    return next((str(n) for n in found if isinstance(n, int | float)), "")


class Pages:
    """Renders Data Docs: what was checked, in pages that need nothing from elsewhere.

    Those of GX load styles and scripts from half a dozen hosts on the internet, show a
    query for a name, and know no verdict but right and wrong.
    """

    def __init__(self) -> None:
        """Find the templates, which lie with the suites."""
        self._templates = DefaultJinjaPageView(
            custom_views_directory=str(places.EXPECTATIONS / "pages")
        ).env

    def index(self, run_id: str, stages: Sequence[Mapping[str, Any]]) -> str:
        """Return the page that tells what failed and leads to the suites' pages."""
        template = self._templates.get_template("index.html")
        return template.render(run_id=run_id, stages=stages)

    def suite(
        self,
        run_id: str,
        stage: Mapping[str, Any],
        name: str,
        questions: Mapping[str, Question],
    ) -> str:
        """Return the page of a suite.

        Args:
            run_id: the run.
            stage: what came of the stage's checks, as its report keeps it.
            name: the suite.
            questions: what was asked, by the name of the expectation.
        """
        template = self._templates.get_template("suite.html")
        return template.render(
            run_id=run_id, stage=stage, suite=name, questions=questions
        )


def _configuration(result: ExpectationValidationResult) -> ExpectationConfiguration:
    """Return what was validated; GX leaves it out of no result that it gives."""
    return cast("ExpectationConfiguration", result.expectation_config)
