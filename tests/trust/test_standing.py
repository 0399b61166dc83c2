"""What `komek status` says of the chain and of the scratch folders."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from komek.base.places import Home
from komek.base.scratch import RUN
from komek.cli import cli
from komek.trust.standing import standing, standing_lines


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_an_empty_home_has_no_chain(home: Home) -> None:
    assert standing(home) == {
        "chain": {"head": None, "signed": "unsigned", "findings": []},
        "being_built": [],
        "left_behind": [],
    }
    assert standing_lines(standing(home)) == ["Chain of receipts: none"]


def test_status_says_what_lies_about(home: Home) -> None:
    (home.scratch / "20200420-r1").mkdir(parents=True)
    (home.scratch / "20200420-r1" / RUN).touch()
    (home.scratch / "verify-r2-7").mkdir()

    told = CliRunner().invoke(cli, ["status", "--home", str(home.root)]).output
    state = json.loads(
        CliRunner().invoke(cli, ["status", "--home", str(home.root), "--json"]).output
    )

    chain, building, left = told.splitlines()[-3:]
    assert chain == "Chain of receipts: none"
    assert building == "Being built: run 20200420-r1"
    assert left.startswith("Left behind by a killed process")
    assert left.endswith(": warehouse/scratch/verify-r2-7")
    assert state["being_built"] == ["20200420-r1"]
    assert state["left_behind"] == ["warehouse/scratch/verify-r2-7"]
    assert state["published"] is None
    # It only looks.
    assert (home.scratch / "verify-r2-7").is_dir()
