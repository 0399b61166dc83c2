"""One run at a time: a home is claimed between the steps of a run too."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from komek.base import claim
from komek.base.claim import ClaimedError, current_claim, give_back, move_on, take
from komek.base.errors import KomekError
from komek.base.places import Home

FIRST, SECOND = "eligibility first", "eligibility second"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def still_runs(_owner: str) -> bool:
    return False


def has_ended(_owner: str) -> bool:
    return True


def quiet(_line: str) -> None:
    pass


def lapse(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every claim be as old as it may become."""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(UTC) + claim.LEASE + timedelta(seconds=1)

    monkeypatch.setattr(claim, "datetime", Later)


def test_another_run_is_told_who_has_the_home(home: Home) -> None:
    take(home, FIRST, still_runs, quiet)
    move_on(home, FIRST, "20200420-a")

    with pytest.raises(ClaimedError, match="eligibility first, run 20200420-a, since"):
        take(home, SECOND, still_runs, quiet)
    with pytest.raises(ClaimedError, match="wait until it ends"):
        claim.refuse_claimed(home, quiet)


def test_a_run_that_has_ended_gives_the_home_back(home: Home) -> None:
    take(home, FIRST, still_runs, quiet)
    give_back(home, SECOND)
    assert current_claim(home)

    give_back(home, FIRST)

    assert current_claim(home) is None
    assert take(home, SECOND, still_runs, quiet) is None


def test_a_step_that_is_tried_again_has_the_home_still(home: Home) -> None:
    take(home, FIRST, still_runs, quiet)

    assert take(home, FIRST, still_runs, quiet) is None


def test_a_claim_whose_owner_has_ended_was_left_behind(home: Home) -> None:
    take(home, FIRST, still_runs, quiet)
    move_on(home, FIRST, "20200420-a")
    said: list[str] = []

    left = take(home, SECOND, has_ended, said.append)

    assert left is not None
    assert left.run_id == "20200420-a"
    assert "left behind" in said[0]
    assert current_claim(home).owner == SECOND


def test_a_claim_lapses(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    take(home, FIRST, still_runs, quiet)
    lapse(home, monkeypatch)
    said: list[str] = []

    claim.refuse_claimed(home, said.append)

    assert "left behind" in said[0]
    assert current_claim(home) is None


def test_who_waits_for_a_person_may_be_silent_longer(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(home, FIRST, still_runs, quiet)
    move_on(home, FIRST, "20200420-a", 2 * claim.LEASE, "approval")
    lapse(home, monkeypatch)

    with pytest.raises(ClaimedError, match="waits for approval"):
        claim.refuse_claimed(home, quiet)


@pytest.mark.parametrize("owner", [None, SECOND])
def test_a_step_of_a_run_without_a_claim_does_not_begin(
    home: Home, owner: str | None
) -> None:
    if owner:
        take(home, owner, still_runs, quiet)

    with pytest.raises(KomekError, match="has no claim to"):
        move_on(home, FIRST, "20200420-a")


def test_a_claim_of_another_run_of_the_owner_is_no_claim(home: Home) -> None:
    take(home, FIRST, still_runs, quiet)
    move_on(home, FIRST, "20200420-a")

    with pytest.raises(KomekError, match="has no claim to"):
        move_on(home, FIRST, "20200420-b")


def test_a_damaged_claim_is_no_obstacle(home: Home) -> None:
    home.claim.parent.mkdir(parents=True)
    home.claim.write_text('{"owner": "eligib')

    assert take(home, FIRST, still_runs, quiet) is None
    assert current_claim(home).owner == FIRST
