"""Runs of the golden nation, computed and filed as the pipeline does."""

from datetime import date
from pathlib import Path

from komek import pipeline
from komek.base.places import Home
from komek.runs import build
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
    for layer in build.LAYERS:
        build.layer(run, layer, law_tables, docs=docs)
    note_overridden(run, [])
    return run


def file_run(home: Home, run: Run) -> str:
    """File a computed run without publishing it."""
    home.runs.mkdir(parents=True, exist_ok=True)
    run.file.rename(home.run_file(run.run_id))
    write_receipt(home, run, {"overridden_checks": ""})
    return run.run_id


def publish_run(home: Home, request: Request) -> str:
    """Compute a run, check its result and publish it."""
    run = compute(home, request, docs=True)
    pipeline.check_result(home, run.run_id, lambda _: None)
    pipeline.publish(home, run.run_id, lambda _: None)
    return run.run_id
