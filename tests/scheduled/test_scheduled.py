"""What a scheduler does beyond the steps of a run: deadlines, claims, what is asked."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from hand_filed import hand_made, publish_filed
from komek import pipeline, scheduled
from komek.base import registries
from komek.base.claim import ClaimedError, current_claim
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.cli import cli
from komek.landing.land import land
from komek.runs.days import pull_ended, scheduled_day
from komek.runs.run import Request

DAY = date(2020, 4, 20)
REQUEST = Request(DAY, DAY, {})
NAMES = [entity.name for entity in registries.entities()]
OWNER = "eligibility one"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def quiet(_line: str) -> None:
    pass


def still_runs(_owner: str) -> bool:
    return False


def has_ended(_owner: str) -> bool:
    return True


def pulled(home: Home, *names: str) -> None:
    for name in names:
        pull_ended(home, DAY, name, name, 1, lambda: True)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What runs were begun for; none is laid out."""
    requests: list[Request] = []

    def prepare(_home: Home, request: Request, _say: object) -> str:
        requests.append(request)
        return f"run-{len(requests)}"

    monkeypatch.setattr(pipeline, "prepare", prepare)
    return requests


def begin(
    home: Home, owner: str = OWNER, *, asked_for: bool = False, ended=False
) -> str:
    return scheduled.begin(
        home,
        REQUEST,
        owner,
        has_ended if ended else still_runs,
        quiet,
        asked_for=asked_for,
    )


# Beginning a run


def test_a_run_waits_for_every_pull_of_its_day(
    home: Home, prepared: list[Request]
) -> None:
    pulled(home, *NAMES[2:])

    with pytest.raises(StoppedError) as caught:
        begin(home, asked_for=True)

    assert str(caught.value) == (
        f"2020-04-20 waits for {NAMES[0]}, {NAMES[1]}: not pulled yet"
    )
    assert prepared == []
    assert current_claim(home) is None


def test_a_run_by_hand_takes_what_has_landed(
    home: Home, prepared: list[Request]
) -> None:
    begin(home)

    assert prepared == [REQUEST]
    assert scheduled_day(home, DAY).begun == 0


def test_a_run_that_was_asked_for_is_of_its_day(
    home: Home, prepared: list[Request]
) -> None:
    pulled(home, *NAMES)

    begin(home, asked_for=True)

    assert prepared == [REQUEST]
    assert scheduled_day(home, DAY).begun == 1
    assert scheduled_day(home, DAY).asked_by is None


def test_a_second_run_does_not_begin_between_two_steps(
    home: Home, prepared: list[Request]
) -> None:
    begin(home)

    with pytest.raises(ClaimedError, match=r"eligibility one, run run-1"):
        begin(home, "eligibility two")

    assert begin(home) == "run-2"


def test_a_run_by_hand_does_not_slip_in_between(
    home: Home, prepared: list[Request], tmp_path: Path
) -> None:
    begin(home)
    (tmp_path / "drop").mkdir()

    ended = CliRunner().invoke(
        cli,
        f"run --as-of {DAY} --home {home.root} --drop {tmp_path / 'drop'}".split(),
    )

    assert isinstance(ended.exception, ClaimedError)
    assert ended.exception.exit_code == 1
    assert "another run is going on in" in str(ended.exception)
    assert prepared == [REQUEST]


def test_what_an_ended_run_left_is_cleared_away(
    home: Home, prepared: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[str] = []
    monkeypatch.setattr(pipeline, "clear_away", lambda _h, run, _s: cleared.append(run))
    begin(home)

    begin(home, "eligibility two", ended=True)

    assert cleared == ["run-1"]


def test_a_run_that_cannot_begin_gives_the_home_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> str:
        raise StoppedError("persons: no snapshot")

    monkeypatch.setattr(pipeline, "prepare", stop)
    with pytest.raises(StoppedError):
        begin(home)

    assert current_claim(home) is None


# Past the deadline


def late(home: Home, *, may_go_on: bool) -> tuple[bool, list[str]]:
    said: list[str] = []
    asks = scheduled.past_deadline(home, DAY, may_go_on, "deadline", said.append)
    return asks, said


def test_a_day_that_has_all_waits_for_nothing(home: Home) -> None:
    pulled(home, *NAMES)

    assert late(home, may_go_on=True) == (False, [])


def test_who_is_waited_for_is_named(home: Home) -> None:
    pulled(home, *NAMES[1:])

    with pytest.raises(StoppedError) as caught:
        late(home, may_go_on=False)

    assert str(caught.value) == (
        "2020-04-20 is past its deadline and waits for persons (no snapshot)"
    )


def test_a_day_goes_on_with_the_last_snapshots(
    home: Home, tmp_path: Path, prepared: list[Request]
) -> None:
    (tmp_path / "drop" / "kato").mkdir(parents=True)
    (tmp_path / "drop" / "kato" / "2020-04-19.csv").write_text("kato\n1\n")
    land(home, tmp_path / "drop", ["kato"])
    pulled(home, *(name for name in NAMES if name != "kato"))

    asks, said = late(home, may_go_on=True)
    begin(home, asked_for=True)

    assert asks
    assert "waits for kato (last snapshot 2020-04-19): going on" in said[0]
    assert [request.without for request in prepared] == [("kato",)]
    # Asked once.
    assert late(home, may_go_on=True) == (False, [])


def test_a_day_does_not_go_on_with_what_is_too_old(home: Home) -> None:
    pulled(home, *NAMES[1:])

    with pytest.raises(StoppedError, match="too old to go on with: persons"):
        late(home, may_go_on=True)


# What stands, and what is asked


def test_what_stands_is_said(home: Home) -> None:
    assert scheduled.standing(home) == "nothing is published"

    publish_filed(home, hand_made(home, "r1"))

    assert scheduled.standing(home) == "published is run r1, as of 2020-04-20"


@pytest.mark.parametrize("days_before", [1, 0])
def test_only_what_would_be_published_is_asked(
    home: Home, monkeypatch: pytest.MonkeyPatch, days_before: int
) -> None:
    publish_filed(home, hand_made(home, "r1"))
    run = hand_made(home, "r2")
    object.__setattr__(run, "request", Request(DAY - timedelta(days_before), DAY, {}))
    monkeypatch.setattr(scheduled, "load", lambda *_: run)
    monkeypatch.setattr(scheduled, "question_lines", lambda *_: ["| region |"])

    assert scheduled.question(home, "r2") == (None if days_before else "| region |")
