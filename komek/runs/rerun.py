"""Computing a run again: in a scratch home, from the very inputs of its receipt."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

from komek.base.files import private_files
from komek.base.places import Home
from komek.base.scratch import holding
from komek.runs import build
from komek.runs.inputs import Inputs
from komek.runs.layout import begin
from komek.runs.parsed import nothing_kept
from komek.runs.run import Request, Run
from komek.runs.staged import take_staging


@contextmanager
def scratch_home(home: Home, name: str) -> Iterator[Home]:
    """Yield an empty home with the landing of another, which is only read.

    It lies under the other's scratch folder and is gone afterwards; what a killed
    process leaves of it is swept by the next that writes.
    """
    scratch = Home(home.scratch / f"{name}-{os.getpid()}")
    # It comes there held: a writer sweeps what nobody holds.
    making = home.warehouse / f".{scratch.root.name}"
    with private_files():
        try:
            for folder in (scratch.root, making):
                shutil.rmtree(folder, ignore_errors=True)
            making.mkdir(parents=True)
            with holding(making):
                home.scratch.mkdir(exist_ok=True)
                making.rename(scratch.root)
                scratch.landing.symlink_to(home.landing.resolve())
                yield scratch
        finally:
            for folder in (scratch.root, making):
                shutil.rmtree(folder, ignore_errors=True)


def request_of(receipt: Mapping[str, Any]) -> Request:
    """Return what was asked of the run that left a receipt."""
    return Request(
        as_of=date.fromisoformat(receipt["as_of"]),
        known_at=date.fromisoformat(receipt["known_at"]),
        policy_overrides=receipt["policy_overrides"],
        override=receipt["override"],
    )


def build_again(
    scratch: Home,
    request: Request,
    inputs: Inputs,
    law_tables: Path | None = None,
    staged: Path | None = None,
) -> Run:
    """Build every layer of a run in a scratch home, from the inputs given.

    Args:
        scratch: where it is built.
        request: what is asked of it.
        inputs: the snapshots and the calendar of a run before.
        law_tables: the file of a run whose law tables it reads; None: today's.
        staged: the file of a run by the same code whose staging is taken, as far as it
            is of the same snapshots; None: nothing is taken from anyone, all is
            staged, the project parsed and the law loaded anew.

    Raises:
        StoppedError: an input is not what it was, or a value of law is missing.
        KomekError: dbt could not build a model.
    """
    run = begin(scratch, request, inputs)
    if staged:
        take_staging(run, staged)
    with nullcontext() if staged else nothing_kept():
        for layer in build.LAYERS:
            build.layer(run, layer, law_tables, docs=False)
    return run
