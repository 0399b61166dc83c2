"""What `komek status` tells of all that did not end in a publication."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from hand_filed import hand_made
from komek.base import claim, registries
from komek.base.errors import Refusal
from komek.base.places import Home
from komek.cli import cli
from komek.runs.days import pull_ended
from komek.runs.refusals import note_refusals
from komek.runs.run import Request
from komek.runs.stops import forget_stop, note_stop
from komek.trust.open_ends import open_end_lines, open_ends
from komek.trust.receipts import said_first, write_receipt

DAY = date(2020, 4, 20)
NAMES = [entity.name for entity in registries.entities()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def file_answered(home: Home, **answer: str | None) -> dict[str, object]:
    """File a run that a person was asked about; return its receipt."""
    run = hand_made(home, "r1")
    details = {"approved_by": None, "kept_back": None} | answer
    return write_receipt(home, run, said_first(home, "r1", details))


def test_where_all_has_ended_there_is_nothing_to_tell(home: Home) -> None:
    assert open_ends(home) == {
        "going_on": None,
        "refused": [],
        "stopped": [],
        "kept_back": [],
        "waiting": [],
    }
    assert open_end_lines(open_ends(home)) == []


def test_what_is_not_done_is_told(home: Home) -> None:
    claim.take(home, "eligibility one", lambda _: False, lambda _: None)
    claim.move_on(home, "eligibility one", "20200420-a", waits_for="approval")
    refused = Refusal("kato", DAY, "kato/2020-04-20.csv: is empty: zero bytes")
    note_refusals(home, ["kato", "persons"], None, [refused])
    note_stop(home, Request(DAY, DAY, {}), "20200420-b", "persons: sex: 3 rows")
    file_answered(home, kept_back="rejected by bolat")
    for name in NAMES[1:]:
        pull_ended(home, DAY, name, name, 1, lambda: True)

    told = CliRunner().invoke(cli, ["status", "--home", str(home.root)]).output
    state = json.loads(
        CliRunner().invoke(cli, ["status", "--home", str(home.root), "--json"]).output
    )

    assert "Going on: 20200420-a waits for approval since 20" in told
    assert "Waiting: 2020-04-20 for persons (no snapshot)" in told
    assert "Refused: kato/2020-04-20.csv: is empty: zero bytes" in told
    assert "Stopped: 20200420-b of 2020-04-20, 20" in told
    assert "Filed, not published: run r1, rejected by bolat" in told
    assert state["going_on"]["waits_for"] == "approval"
    assert [one["entity"] for one in state["refused"]] == ["kato"]
    assert state["stopped"][0]["reason"] == "persons: sex: 3 rows"
    assert state["kept_back"] == [{"run_id": "r1", "reason": "rejected by bolat"}]
    assert state["waiting"] == [
        {"day": "2020-04-20", "for": {"persons": "no snapshot"}}
    ]


def test_a_stop_is_told_until_a_run_of_the_day_is_filed(home: Home) -> None:
    request = Request(DAY, DAY, {})
    note_stop(home, request, None, None)
    assert open_ends(home)["stopped"][0]["reason"] == "interrupted"

    forget_stop(home, DAY)

    assert open_ends(home)["stopped"] == []


def test_who_is_asked_again_may_answer_otherwise(home: Home) -> None:
    file_answered(home, kept_back="rejected by bolat")

    again = file_answered(home)
    assert again["kept_back"] == "rejected by bolat"

    approved = file_answered(home, approved_by="aigerim")
    assert (approved["approved_by"], approved["kept_back"]) == ("aigerim", None)
    assert open_ends(home)["kept_back"] == []
