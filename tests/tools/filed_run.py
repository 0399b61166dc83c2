"""Runs of the golden nation, computed and filed as the pipeline does."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from komek import pipeline
from komek.base import database, registries
from komek.base.places import Home
from komek.landing.own import land_own
from komek.runs import build
from komek.runs.filed import put_away
from komek.runs.layout import begin
from komek.runs.run import Request, Run, note_overridden
from komek.trust.receipts import write_receipt

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
APRIL_20 = date(2020, 4, 20)


def compute(
    home: Home, request: Request, law_tables: Path | None = None, *, docs: bool = False
) -> Run:
    """Build every layer of a run; its checks are left out."""
    run = begin(home, request)
    pipeline.stage(home, run.run_id)
    for layer in build.LAYERS[1:]:
        build.layer(run, layer, law_tables, docs=docs)
    note_overridden(run, [])
    return run


def file_run(home: Home, run: Run) -> str:
    """File a computed run without publishing it."""
    home.runs.mkdir(parents=True, exist_ok=True)
    put_away(run.file)
    run.file.rename(home.run_file(run.run_id))
    write_receipt(home, run, {"overridden_checks": ""})
    return run.run_id


def land_lists(
    home: Home, run_file: Path, day: date, more: Iterable[Mapping[str, str]] = ()
) -> None:
    """Land the lists of a run, and more rows or others, as its publication would."""
    entity = registries.entity("lists")

    def write(target: Path) -> None:
        with database.connect(run_file, read_only=True) as run:
            run.execute(
                f"create temp table listed as select {', '.join(entity.column_names)}"
                " from marts.food_set_lists where list_no is not null"
            )
            for row in more:
                run.execute(
                    "delete from listed where (iin, list_month) = (?, ?)",
                    [row["iin"], row["list_month"]],
                )
                marks = ", ".join("?" * len(entity.column_names))
                run.execute(
                    f"insert into listed values ({marks})",
                    [row[name] or None for name in entity.column_names],
                )
            run.execute(
                "copy (from listed order by list_month, iin)"
                f" to {database.literal(target)} (format parquet)"
            )

    land_own(home, entity, day, "run", write)


def publish_run(home: Home, request: Request) -> str:
    """Compute a run, check its result and publish it."""
    run = compute(home, request, docs=True)
    pipeline.check_result(home, run.run_id, lambda _: None)
    pipeline.publish(home, run.run_id, lambda _: None)
    return run.run_id
