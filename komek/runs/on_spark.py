"""Deciding on Apache Spark: the same models, from the landed files up to the tables.

Each layer is built there from what the layers before left in the session, its tables
written as Parquet below the run's folder; dbt then builds the layer in the run's own
file from these, under the same contracts, with the views that belong to it. So checks,
receipts, publication and explanations know of no engine.

One process takes all steps of a run, for its session has the views. What Spark writes
lies readable in the run's folder, which goes when the run ends: not under KOMEK_KEY.
"""

import importlib.util
import shutil
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from komek.base import database, places, registries
from komek.base.database import quoted, text_literal
from komek.base.errors import KomekError, UsageError
from komek.base.places import TIME_ZONE
from komek.base.settings import has_java
from komek.landing.received import MALFORMED
from komek.runs.failures import raise_failure
from komek.runs.invoked import call
from komek.runs.landed_views import ROWS_PER_FILE, LandedView, landed_views
from komek.runs.run import SPARK, Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDER, _WAREHOUSE = "spark", "warehouse"
_LANDED = ("landed_files", "landed_snapshots", "working_days")
# Types that both engines have and write as text alike; a number is read as one.
_ALIKE = ("VARCHAR", "DATE", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_NUMBERS = ("amount", "integer")
# The sessions of runs that are being built here, by their ids, each with the folder of
# its plain path.
_begun: dict[str, tuple["SparkSession", TemporaryDirectory[str]]] = {}
# What Spark logs may name people: nobody reads it, and what fails is told by dbt.
# Without an appender Spark takes its own settings.
_QUIET = """
status = off
appender.nothing.type = Null
appender.nothing.name = nothing
rootLogger.level = off
rootLogger.appenderRef.nothing.ref = nothing
"""


def refuse_impossible() -> None:
    """Refuse to decide on Spark where that cannot be.

    Raises:
        UsageError: pyspark and dbt-spark are not installed, nor Java, or KOMEK_KEY is
            set.
    """
    if not (importlib.util.find_spec("pyspark") and _has_adapter()):
        raise UsageError(
            "--engine spark needs what requirements-spark.txt names: `make spark`"
            " installs it into .spark, with a komek of its own"
        )
    if not has_java():
        raise UsageError(
            "--engine spark needs Java 17 or later: Debian's openjdk-17-jre-headless"
        )
    if database.encrypts():
        raise UsageError(
            "--engine spark writes its tables readable while it works:"
            " not with KOMEK_KEY"
        )


def _has_adapter() -> bool:
    return importlib.util.find_spec("dbt.adapters.spark") is not None


def decided(run: Run, selected: str) -> dict[str, str]:
    """Build models on Spark.

    Args:
        run: laid out; the layers before are built.
        selected: which models, as dbt selects.

    Returns:
        Of each table that was built the SQL to read it by, after `from`.

    Raises:
        StoppedError: a model ended the run.
        KomekError: dbt could not build a model.
        UsageError, OSError: a file cannot be read or written.
    """
    # Of a pandas that nobody asks it for.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
    session = _session(run)
    _hand_over_law(session, run)
    outcome = call(
        run,
        ["run", "--select", selected, "--no-write-json"],
        run.folder / FOLDER / "dbt",
        SPARK,
    )
    raise_failure(outcome)
    results: Any = outcome.result
    return {
        result.node.name: _read(run, result.node.schema, result.node.name)
        for result in results
        if result.node.config.materialized == "table"
    }


def end(run_id: str) -> None:
    """End the session of a run, if it has one here."""
    if run_id in _begun:
        session, plain = _begun.pop(run_id)
        session.stop()
        plain.cleanup()


def _read(run: Run, schema: str, table: str) -> str:
    """Return SQL that reads what Spark wrote of a table."""
    files = sorted(
        (run.folder / FOLDER / _WAREHOUSE / f"{schema}.db" / table).glob("*.parquet")
    )
    if not files:
        raise KomekError(f"Spark wrote nothing of {schema}.{table}")
    return database.scan(files)


def _session(run: Run) -> "SparkSession":
    """Return the session of a run: begun, and the landing laid out in it, once."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    if run.run_id in _begun:
        return _begun[run.run_id][0]
    folder = run.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # A path in which Spark, Hadoop and Java see nothing but a path.
    plain = TemporaryDirectory(prefix="komek-")
    link = Path(plain.name, FOLDER)
    link.symlink_to(folder.absolute())
    quiet = link / "log4j2.properties"
    quiet.write_text(_QUIET, encoding="utf-8")
    builder = SparkSession.builder.appName("komek")
    for name, value in {
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={quiet}",
        "spark.driver.memory": _memory(),
        "spark.local.dir": str(link / "spilled"),
        "spark.sql.warehouse.dir": str(link / _WAREHOUSE),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": TIME_ZONE,
        "spark.sql.parquet.binaryAsString": "true",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.shuffle.partitions": "8",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    _begun[run.run_id] = session, plain
    _lay_out(session, run)
    return session


def _memory() -> str:
    """Return what Java may take, as it says that."""
    limit = database.memory_limit()
    number = limit.rstrip("BbIi ")
    return number.replace(" ", "").lower()


def _lay_out(session: "SparkSession", run: Run) -> None:
    """Lay out the schema `landing` in a session: views over the landed files."""
    session.sql("create schema landing")
    session.sql("create schema law")
    texts: list[tuple[str, str]] = []
    with database.connect(run.file, read_only=True) as connection:
        numbers = dict(
            connection.execute(
                "select entity, min(file_no) from landing.landed_files group by entity"
            ).fetchall()
        )
        for entity in registries.every_entity():
            if entity.name not in numbers:
                _hand_over(session, run, connection, f"landing.{entity.name}")
                continue
            snapshot = run.inputs.of(entity.name).landed(run.home)
            views = list(landed_views(entity, snapshot, numbers[entity.name]))
            for view in views:
                others = _read_otherwise(entity, view)
                named = f"landing.{view.name}"
                if not view.types:
                    session.sql(_together(entity.column_names, views))
                elif others:
                    _hand_over(session, run, connection, named, _as_text(view, others))
                    texts += [(view.name, name) for name in others]
                else:
                    selected = " union all ".join(_selects(view))
                    session.sql(f"create view {named} as {selected}")
        for table in _LANDED:
            _hand_over(session, run, connection, f"landing.{table}")
        listed = ", ".join(f"('{view}', '{name}')" for view, name in texts)
        is_text = f"(relation, name) in ({listed})" if texts else "false"
        _hand_over(
            session,
            run,
            connection,
            "landing.landed_columns",
            f"* replace (case when {is_text} then 'VARCHAR' else type end as type)",
        )


def _read_otherwise(entity: registries.Entity, view: LandedView) -> list[str]:
    """Return the columns of which the engines would make different texts."""
    numbers = {c.name for c in entity.columns if c.type in _NUMBERS}
    return [
        name
        for name, kind in view.types.items()
        if kind not in _ALIKE and not kind.startswith("DECIMAL") and name not in numbers
    ]


def _selects(view: LandedView) -> Iterator[str]:
    """Yield what to select of each file of a view, rows numbered as DuckDB does."""
    columns = "".join(f"`{name}`, " for name in view.declared)
    malformed = f"`{MALFORMED}` is not null" if view.marks_malformed else "false"
    for number, path in view.files:
        yield (
            f" select {columns}cast({number} as bigint) * {ROWS_PER_FILE}"
            " + _metadata.row_index + 1 as source_row,"
            f" {malformed} as malformed from parquet.`{_escaped(path)}`"
        )


def _escaped(path: Path) -> str:
    """Return a path as Spark takes it: nothing in it is a pattern."""
    literal = "".join(f"\\{one}" if one in "*?[]{}\\" else one for one in str(path))
    return literal.replace("`", "``")


def _together(columns: Iterable[str], views: Sequence[LandedView]) -> str:
    """Return SQL for the view of an entity whose files differ: the text of all."""
    parts = [
        "select "
        + "".join(
            f"cast({f'`{name}`' if name in view.types else 'null'} as string)"
            f" as `{name}`, "
            for name in columns
        )
        + f"source_row, malformed from landing.{view.name}"
        for view in views
        if view.types
    ]
    entity = next(view.name for view in views if not view.types)
    return f"create view landing.{entity} as {' union all '.join(parts)}"


def _as_text(view: LandedView, others: Collection[str]) -> str:
    """Return what to select of a view in DuckDB: some columns as the text it makes."""
    columns = []
    for name, kind in view.types.items():
        text = f"cast({quoted(name)} as varchar)"
        if name not in others:
            columns.append(quoted(name))
        elif kind.startswith("TIMESTAMP"):
            # As staging reads it (macros/staging/landed.sql): a midnight is its day.
            columns.append(
                f"case when {quoted(name)} = date_trunc('day', {quoted(name)})"
                f" then cast(cast({quoted(name)} as date) as varchar) else {text} end"
                f" as {quoted(name)}"
            )
        else:
            columns.append(f"{text} as {quoted(name)}")
    return ", ".join(columns)


def _hand_over_law(session: "SparkSession", run: Run) -> None:
    """Hand the law tables of a run over, once they are there."""
    there = {row.tableName for row in session.sql("show tables in law").collect()}
    names = sorted(path.stem for path in places.LAW_SEEDS.glob("*.csv"))
    if set(names) <= there:
        return
    with database.connect(run.file, read_only=True) as connection:
        (built,) = connection.execute(
            "select count(*) from duckdb_tables()"
            " where schema_name = 'law' and table_name = 'paragraphs'"
        ).fetchone() or (0,)
        for name in names if built else ():
            _hand_over(session, run, connection, f"law.{name}")


def _hand_over(
    session: "SparkSession",
    run: Run,
    connection: Any,  # noqa: ANN401
    table: str,
    selected: str = "*",
) -> None:
    """Write a table of the run's file as Parquet, and name it to Spark."""
    folder = run.folder / FOLDER / "handed_over" / table
    folder.mkdir(parents=True)
    connection.execute(
        f"copy (select {selected} from {table}) to"
        f" {text_literal(folder / 'rows.parquet')} (format parquet)"
    )
    _, plain = _begun[run.run_id]
    link = Path(plain.name, *folder.relative_to(run.folder).parts)
    session.sql(f"create table {table} using parquet location '{link}'")
