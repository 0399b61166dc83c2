"""Runs whose files are made by hand, filed and published as the pipeline does."""

from datetime import UTC, date, datetime

from finished_run import finish_run
from komek.base.places import Home
from komek.publishing.publication import Publication
from komek.publishing.publish import publish
from komek.runs.run import Request, Run
from komek.trust.chain import read_chain
from komek.trust.receipts import seal, write_receipt

DAY = date(2020, 4, 20)


def hand_made(home: Home, run_id: str, **made: object) -> Run:
    """Write the file of a run; return the run, as it is when it has finished."""
    finish_run(home, run_id, **made)
    return as_it_was(home, run_id)


def as_it_was(home: Home, run_id: str) -> Run:
    """Return a run by hand, whatever its file holds by now."""
    request = Request(DAY, DAY, {})
    return Run(home, run_id, request, "1", "f" * 64, datetime.now(UTC), [])


def publish_filed(home: Home, run: Run) -> Publication:
    """Write a run's receipt, publish the run, and seal the publication."""
    details = {"overridden_checks": ""}
    write_receipt(home, run, details)
    head = read_chain(home).head
    publication = publish(home, run.run_id, True, lambda _: None, head)
    assert publication
    seal(home, publication)
    return publication
