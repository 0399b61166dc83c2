"""OpenLineage events: what a run sends, to a file and to a real HTTP receiver."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import event_v2

from filed_run import APRIL_20, GOLDEN
from komek import pipeline
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land
from komek.publishing.publication import current_publication
from komek.runs.run import Request, Run, load
from komek.trust import events
from komek.trust.events import events_path
from warm import komek


def of(relation: str, *columns: str) -> dict[str, list[tuple[str, str]]]:
    """Columns that come from one of the same name."""
    return {column: [(relation, column)] for column in columns}


# Written by hand from the models, not by what reads them.
RECIPIENTS = {
    **of("law.p26_list", "list_month", "iin", "region_kato", "district_kato"),
    **of("law.p26_list", "primary_ground", "grounds"),
    **of("law.p27_region_norm", "mode", "set_cost"),
    "paragraph": [],
}
SETS = {
    **of("law.p28_planned_sets", "list_month", "iin", "ground", "set_no", "list_no"),
    **of("law.p28_planned_sets", "standing", "region_kato", "district_kato", "mode"),
    **of("law.p28_planned_sets", "set_cost", "delivery_status", "is_withdrawn"),
    **of("law.p28_planned_sets", "delivered_contract_id", "norm_row", "delivery_row"),
    **of("law.p28_allocation", "contract_id"),
    **of("facts.supply_contracts", "contract_row"),
    **of("law.p29_account", "iban", "account_iin", "account_row", "link_row"),
    **of("law.p29_account", "representative_row"),
    "minor_row": [("law.p29_account", "person_row")],
    "allocation": [
        ("law.p28_allocation", "contract_id"),
        ("law.p28_planned_sets", "is_withdrawn"),
        ("law.p28_planned_sets", "mode"),
        ("law.p29_account", "iban"),
    ],
    "amount": [
        ("law.p28_planned_sets", "is_withdrawn"),
        ("law.p28_planned_sets", "set_cost"),
    ],
}


class Collector(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    received: list[dict[str, Any]] = []  # noqa: RUF012  (one collector per test run)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.received.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def sent() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Collector.received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory,
    small_nation: Path,
    sent: tuple[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    home = Home(tmp_path_factory.mktemp("events"))
    run = ["run", "--as-of", "2020-04-20", "--drop", str(small_nation)]
    komek(
        *(*run, "--home", str(home.root)),
        env=os.environ | {"OPENLINEAGE_URL": sent[0]},
    ).check_returncode()
    publication = current_publication(home)
    assert publication is not None
    path = events_path(home.report(publication.run.run_id))
    return lines(path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def output(events: list[dict[str, Any]], relation: str) -> dict[str, Any]:
    (found,) = (
        dataset["facets"]
        for event in events
        if event["job"]["name"] == f"eligibility.{relation}"
        for dataset in event["outputs"]
    )
    return found


def test_the_collector_gets_every_event_that_is_kept(
    kept: list[dict[str, Any]], sent: tuple[str, list[dict[str, Any]]]
) -> None:
    assert sent[1] == kept


def test_a_run_starts_completes_and_names_its_registries(
    kept: list[dict[str, Any]],
) -> None:
    whole = [event for event in kept if event["job"]["name"] == "eligibility"]

    assert [event["eventType"] for event in whole] == ["START", "COMPLETE"]
    assert "registry.persons" in {given["name"] for given in whole[0]["inputs"]}
    assert "marts.food_set_recipients" in {made["name"] for made in whole[1]["outputs"]}


@pytest.mark.parametrize(
    ("relation", "by_hand"),
    [("marts.food_set_recipients", RECIPIENTS), ("law.p28_plan", SETS)],
)
def test_column_lineage_of_the_recipients_is_what_the_models_say(
    kept: list[dict[str, Any]],
    relation: str,
    by_hand: dict[str, list[tuple[str, str]]],
) -> None:
    fields = output(kept, relation)["columnLineage"]["fields"]

    assert {
        column: sorted(
            (source["name"], source["field"]) for source in made["inputFields"]
        )
        for column, made in fields.items()
    } == by_hand


def test_what_was_checked_goes_with_the_table(kept: list[dict[str, Any]]) -> None:
    facet = output(kept, "marts.food_set_recipients")["dataQualityAssertions"]

    assert {
        check["assertion"]: check["success"]
        for check in facet["assertions"]
        if check["severity"] == "error"
    }["grain_is_unique"]


# A run that does not end well

REQUEST = Request(APRIL_20, APRIL_20, {})


def quiet(_line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("landed") / "home")
    land(home, GOLDEN, until=APRIL_20)
    return home


@pytest.fixture
def home(landed: Home, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.landing.symlink_to(landed.landing)
    return home


@pytest.fixture
def collected(
    sent: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[dict[str, Any]]]:
    """What the collector gets from here on."""
    monkeypatch.setenv("OPENLINEAGE_URL", sent[0])
    already = sent[1].copy()
    sent[1].clear()
    yield sent[1]
    sent[1][:] = already


def told(home: Home, run_id: str) -> list[dict[str, Any]]:
    return lines(events_path(home.report(run_id)))


def states(told: list[dict[str, Any]]) -> list[str]:
    return [event["eventType"] for event in told]


def stop(home: Home, run_id: str, error: BaseException) -> None:
    """Let a step of a run end in an error."""
    with (
        pytest.raises(type(error)),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(pipeline.build, "layer", lambda *_: (_ for _ in ()).throw(error))
        pipeline.stage(home, run_id)


def test_a_run_starts_when_it_is_prepared(
    home: Home, collected: list[dict[str, Any]]
) -> None:
    run_id = pipeline.prepare(home, REQUEST, quiet)

    (start,) = told(home, run_id)
    assert start["eventType"] == "START"
    assert "registry.persons" in {given["name"] for given in start["inputs"]}
    assert collected == [start]


def test_a_run_that_a_check_stops_fails_and_says_why(
    home: Home, collected: list[dict[str, Any]]
) -> None:
    run_id = pipeline.prepare(home, REQUEST, quiet)
    with (
        pytest.raises(StoppedError),
        pipeline.abandoned_on_failure(home, run_id),
        pipeline._step_of(home, run_id, "sort"),
    ):
        raise StoppedError("persons: volume_change: 1 row")

    start, fail = told(home, run_id)
    assert states([start, fail]) == ["START", "FAIL"]
    assert fail["run"]["runId"] == start["run"]["runId"]
    said = fail["run"]["facets"]["errorMessage"]["message"]
    assert said == "persons: volume_change: 1 row"
    assert collected == [start, fail]
    assert list(home.scratch.iterdir()) == []


def test_an_error_that_may_quote_a_row_is_told_by_its_kind(home: Home) -> None:
    run_id = pipeline.prepare(home, REQUEST, quiet)
    stop(home, run_id, ValueError("850101300123"))
    pipeline.clear_away(home, run_id, quiet)

    _, fail = told(home, run_id)
    assert fail["run"]["facets"]["errorMessage"]["message"] == "ValueError"


def test_a_run_that_is_interrupted_is_aborted(
    home: Home, collected: list[dict[str, Any]]
) -> None:
    run_id = pipeline.prepare(home, REQUEST, quiet)
    with (
        pytest.raises(KeyboardInterrupt),
        pipeline.abandoned_on_failure(home, run_id),
    ):
        stop(home, run_id, KeyboardInterrupt())
        raise KeyboardInterrupt

    assert states(told(home, run_id)) == ["START", "ABORT"]
    assert states(collected) == ["START", "ABORT"]


def test_a_run_that_is_rejected_between_its_tasks_is_aborted(home: Home) -> None:
    """What a scheduler clears away though no step has failed."""
    run_id = pipeline.prepare(home, REQUEST, quiet)
    stop(home, run_id, StoppedError("first try"))
    # The step is tried again, and does not fail.
    with pipeline._step_of(home, run_id, "sort"):
        pass
    pipeline.clear_away(home, run_id, quiet)
    assert states(told(home, run_id)) == ["START", "ABORT"]
    # It is told once.
    pipeline.clear_away(home, run_id, quiet)
    assert states(told(home, run_id)) == ["START", "ABORT"]


def test_a_run_that_is_refused_before_it_has_an_id_is_told(
    tmp_path: Path, collected: list[dict[str, Any]]
) -> None:
    home = Home(tmp_path / "empty")
    for _ in range(2):
        with pytest.raises(StoppedError, match="no snapshot"):
            pipeline.prepare(home, REQUEST, quiet)

    kept = lines(events_path(home.reports))
    assert states(kept) == ["START", "FAIL"] * 2
    assert len({event["run"]["runId"] for event in kept}) == 2
    assert "no snapshot" in kept[1]["run"]["facets"]["errorMessage"]["message"]
    assert collected == kept


def test_attempts_are_told_apart_and_a_success_keeps_the_failures(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = pipeline.prepare(home, REQUEST, quiet)
    first = load(home, run_id)
    pipeline.clear_away(home, run_id, quiet)

    def complete(run: Run, *_: object) -> Iterator[event_v2.RunEvent]:
        event = events._start(run)
        event.eventType = event_v2.RunState.COMPLETE
        yield event

    monkeypatch.setattr(events, "_events", complete)
    for day in (1, 2):
        run = replace(first, started_at=first.started_at + timedelta(days=day))
        events.started(run, quiet)
        events.completed(run, home.run_file(run_id), home.root, quiet)
        # What is cleared away after that is no failure.
        events.ended(run, None, quiet)

    kept = told(home, run_id)
    assert states(kept) == ["START", "ABORT", "START", "COMPLETE"]
    attempts = [event["run"]["runId"] for event in kept]
    assert attempts[0] == attempts[1] != attempts[2] == attempts[3]
    # Of two successes the later one is kept.
    assert kept[2]["eventTime"] == f"{run.started_at.astimezone(UTC).isoformat()}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a URL", "ftp://nowhere"])
def test_a_dead_collector_stops_no_run(
    home: Home, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    said: list[str] = []

    run_id = pipeline.prepare(home, REQUEST, said.append)
    pipeline.clear_away(home, run_id, said.append)

    assert states(told(home, run_id)) == ["START", "ABORT"]
    assert len(said) == 2
    assert all(line.startswith("warning: the lineage collector at") for line in said)


def test_events_that_cannot_be_kept_stop_no_run(home: Home) -> None:
    said: list[str] = []
    home.reports.write_text("in the way")

    run_id = pipeline.prepare(home, REQUEST, said.append)
    pipeline.clear_away(home, run_id, said.append)

    assert all(line.startswith("warning: cannot write ") for line in said)
    events = [line for line in said if "openlineage.jsonl" in line]
    assert (len(events), len(said)) == (2, 3)
