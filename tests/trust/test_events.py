"""OpenLineage events: what a run sends, to a file and to a real HTTP receiver."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from komek.base.places import Home
from komek.publishing.publication import current_publication
from komek.trust import columns
from komek.trust.events import events_path


def of(relation: str, *columns: str) -> dict[str, list[tuple[str, str]]]:
    """Columns that come from one of the same name."""
    return {column: [(relation, column)] for column in columns}


# Written by hand from the models, not by what reads them.
RECIPIENTS = {
    **of("law.list_sets", "list_month", "iin", "region_kato", "district_kato"),
    **of("law.list_sets", "primary_ground", "grounds", "mode", "set_cost"),
    "paragraph": [],
}
SETS = {
    **of("law.p26_list", "list_month", "iin", "region_kato", "district_kato"),
    **of("law.p26_list", "primary_ground", "grounds", "person_row", "kato_row"),
    **of("law.p27_region_norm", "mode", "set_cost", "norm_row"),
    **of("law.p28_allocation", "contract_id", "contract_row"),
    "iban": [("law.p27_region_norm", "mode"), ("law.p29_account", "iban")],
    "account_row": [
        ("law.p27_region_norm", "mode"),
        ("law.p29_account", "account_row"),
    ],
    "delivery_status": [("law.p30_delivery", "status")],
    "delivery_row": [("law.p30_delivery", "delivery_row")],
    "row_key": [
        ("facts.run_context", "food_set__sets_per_person"),
        ("law.p26_list", "iin"),
        ("law.p26_list", "primary_ground"),
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
    komek = str(Path(sys.executable).with_name("komek"))
    drop = ["--drop", str(small_nation), "--home", str(home.root)]
    subprocess.run(
        [komek, "run", "--as-of", "2020-04-20", *drop],
        env=os.environ | {"OPENLINEAGE_URL": sent[0]},
        capture_output=True,
        check=True,
    )
    publication = current_publication(home)
    assert publication is not None
    path = events_path(home.report(publication.run.run_id))
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
    [("marts.food_set_recipients", RECIPIENTS), ("law.list_sets", SETS)],
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


def test_a_column_is_followed_through_steps_and_unions() -> None:
    schema = {"law": {"a": {"x": "int", "y": "int"}, "b": {"z": "int"}}}
    sql = """
        with both as (
            select x + y as n, x as only_filtered from "run"."law"."a" as a
            union all
            select b.z as n, 0 as only_filtered from "run"."law"."b" as b
        )
        select n from both where only_filtered > 0
    """

    assert columns.of_query(sql, schema) == {
        "n": [("law.a", "x"), ("law.a", "y"), ("law.b", "z")]
    }
