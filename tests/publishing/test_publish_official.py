"""Which run may replace which publication: official or not, earlier or later."""

from datetime import date

import pytest

from finished_run import (
    AKMOLA,
    AKTOBE,
    finish_run,
)
from komek.base.places import Home
from komek.publishing.publication import current_publication
from komek.publishing.publish import kept_from, publish
from published_runs import (
    APRIL,
    pack_runs,
    publish_run,
    state_of,
)

MAY_20 = date(2020, 5, 20)


def test_unofficial_run_publishes_where_nothing_official_is(home: Home) -> None:
    publish_run(home, "u1", official=False)
    publish_run(home, "u2", official=False, as_of=MAY_20)
    assert pack_runs(home) == {
        f"{APRIL}/{AKMOLA}": "u1",
        f"{APRIL}/{AKTOBE}": "u1",
        f"2020-05-01/{AKMOLA}": "u2",
        f"2020-05-01/{AKTOBE}": "u2",
    }
    assert not current_publication(home).official


def test_unofficial_run_never_replaces_an_official_one(home: Home) -> None:
    publish_run(home, "r1")
    finish_run(home, "u1", as_of=MAY_20)

    for earlier in (False, True):
        assert kept_from(home, "u1", False, earlier) == (
            "is not official and r1 is published"
        )


@pytest.mark.parametrize("official", [True, False])
def test_what_is_not_official_keeps_nothing_from_being_published(
    home: Home, official: bool
) -> None:
    finish_run(home, "r1")
    assert kept_from(home, "r1", official, earlier=False) is None
    publish_run(home, "u1", official=False, as_of=MAY_20)
    assert kept_from(home, "r1", official, earlier=False) is None


def test_an_earlier_day_is_not_published_unless_it_is_asked_to_be(home: Home) -> None:
    publish_run(home, "r1", as_of=date(2020, 4, 20))
    for run_id, day in (("day_before", 19), ("same_day", 20), ("day_after", 21)):
        finish_run(home, run_id, as_of=date(2020, 4, day))

    assert kept_from(home, "day_before", True, earlier=False) == (
        "is of 2020-04-19 and r1 of 2020-04-20 is published; --publish would replace it"
    )
    assert kept_from(home, "day_before", True, earlier=True) is None
    assert kept_from(home, "same_day", True, earlier=False) is None
    assert kept_from(home, "day_after", True, earlier=False) is None


def test_official_publication_holds_no_unofficial_pack(home: Home) -> None:
    publish_run(home, "u1", official=False)
    finish_run(home, "r1", blocked={AKTOBE: "no_norm"})
    said = []
    publish(home, "r1", True, said.append)
    assert state_of(home) == ("r1", {f"{APRIL}/{AKMOLA}": "r1"})
    assert said == ["the packs of the unofficial run u1 are withdrawn"]
