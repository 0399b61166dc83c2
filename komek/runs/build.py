"""dbt, in process: one build per layer, on the run's own file."""

from pathlib import Path

from komek.base import database, places
from komek.runs import on_spark
from komek.runs.invoked import invoke
from komek.runs.kept_law import lay_law
from komek.runs.run import SPARK, Run

LAYERS = ("staging", "facts", "law", "marts")
# The law tables, with the tests on them.
LOAD_LAW = (
    *("build", "--select", "path:seeds"),
    *("--resource-type", "seed", "--resource-type", "test"),
)
# Where a run's reports keep what dbt says of it.
ARTIFACTS = "dbt"


def layer(
    run: Run, layer: str, law_tables: Path | None = None, *, docs: bool = True
) -> None:
    """Build one layer of the run: `staging`, `facts`, `law` or `marts`.

    The law tables and the tests on them come with `facts`, the first layer that reads
    them.

    Args:
        run: the run, laid out and built up to the layer before.
        layer: which.
        law_tables: the file of a run whose law tables it reads in place of today's.
        docs: write the documentation with the last layer.

    Raises:
        StoppedError: a model ended the run (a value of law is missing), or a test on
            the law tables failed.
        KomekError: dbt could not build a model.
        UnwritableError, OSError: a file cannot be written.
    """
    if layer == "facts":
        lay_law(run, lambda: invoke(run, "seeds", LOAD_LAW))
        if law_tables:
            _read_law_of(run, law_tables)
    _run(run, layer, f"path:models/{layer}")
    if docs and layer == LAYERS[-1]:
        command = ["docs", "generate", "--static", "--no-compile"]
        invoke(run, "docs", command, writes_json=True)


def anew(run: Run, model: str) -> None:
    """Build a model and all that rests on it once more.

    Raises:
        KomekError: dbt could not build a model.
        UnwritableError, OSError: a file cannot be written.
    """
    _run(run, f"{model}_anew", f"{model}+")


def artifacts(run: Run) -> list[Path]:
    """Return what dbt left of the run: its manifest, results and browsable docs."""
    folder = run.folder / "dbt"
    names = ("manifest.json", "catalog.json", "static_index.html")
    return [
        *(folder / name for name in names if (folder / name).exists()),
        *sorted(folder.glob("run_results_*.json")),
    ]


def _read_law_of(run: Run, other: Path) -> None:
    """Put the law tables of another run in place of today's.

    One that has no such table, or other columns, was computed by other code: what it
    cannot give stays today's.
    """
    columns = (
        "select column_name, data_type from information_schema.columns"
        " where (table_catalog, table_schema, table_name) = (?, 'law', ?)"
        " order by ordinal_position"
    )
    with database.connect(run.file) as connection:
        database.attach(connection, other, "other")
        for table in sorted(path.stem for path in places.LAW_SEEDS.glob("*.csv")):
            ours, theirs = (
                connection.execute(columns, [catalog, table]).fetchall()
                for catalog in (run.file.stem, "other")
            )
            if ours == theirs:
                connection.execute(f"delete from law.{table}")
                connection.execute(
                    f"insert into law.{table} select * from other.law.{table}"
                )


def _run(run: Run, name: str, selected: str) -> None:
    """Build models on the engine of the run; what they give stands in its file."""
    elsewhere = on_spark.decided(run, selected) if run.request.engine == SPARK else {}
    # The manifest is written once: with the last layer.
    invoke(
        run,
        name,
        ["run", "--select", selected],
        writes_json=name == LAYERS[-1],
        elsewhere=elsewhere,
    )
