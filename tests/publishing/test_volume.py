"""The volume guard: which lists may follow what is published, and which wait."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finished_run import AKMOLA, AKTOBE, finish_run
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.places import Home
from komek.publishing import volume
from komek.publishing.publication import current_publication
from komek.publishing.publish import publish
from komek.publishing.volume import (
    NATION,
    Change,
    VolumeTolerance,
    changes,
    check_volume,
    tolerance,
)

APRIL, MAY, JUNE = date(2020, 4, 20), date(2020, 5, 20), date(2020, 6, 20)


@pytest.fixture(autouse=True)
def small_lists_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten recipients are many here: 20 percent of them are two."""
    monkeypatch.setattr(volume, "tolerance", lambda: VolumeTolerance(20, 10))


def finish(
    home: Home, run_id: str, recipients: dict[str, int], as_of: date = APRIL
) -> None:
    """Write a finished run with so many recipients by region."""
    path = finish_run(home, run_id, (), as_of=as_of)
    with duckdb.connect(str(path)) as run:
        for region, count in recipients.items():
            run.execute(
                "insert into marts.region_status"
                " values (?, ?, 0, 'published', null, 5302)",
                [region, count],
            )


def put_out(
    home: Home,
    run_id: str,
    recipients: dict[str, int],
    as_of: date = APRIL,
    official: bool = True,
) -> None:
    finish(home, run_id, recipients, as_of)
    publish(home, run_id, official, quiet)


def quiet(_line: str) -> None:
    """Say nothing."""


def beyond(
    home: Home, run_id: str, official: bool = True
) -> list[tuple[str, int, int]]:
    return [
        (change.where, change.before, change.now)
        for change in changes(home, home.run_file(run_id), official)
        if not change.allowed
    ]


# What may follow what


@pytest.mark.parametrize(
    ("before", "now", "allowed"),
    [
        (1000, 1200, True),
        (1000, 1201, False),
        (1000, 800, True),
        (1000, 799, False),
        (1000, 1000, True),
        (999, 0, True),
        (0, 999, True),
        (999, 1000, True),
        (500, 1000, False),
        (1000, 0, False),
        (0, 1000, False),
        (0, 0, True),
    ],
)
def test_twenty_percent_of_a_thousand_and_more(
    before: int, now: int, allowed: bool
) -> None:
    assert VolumeTolerance(20, 1000).allows(before, now) is allowed


def test_a_list_within_the_tolerance_is_published(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 10, AKTOBE: 20})
    finish(home, "r2", {AKMOLA: 12, AKTOBE: 16})

    assert check_volume(home, "r2", True, None) == []


def test_a_list_beyond_it_waits(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 10, AKTOBE: 20})
    finish(home, "r2", {AKMOLA: 13, AKTOBE: 9})

    with pytest.raises(StoppedError) as stopped:
        check_volume(home, "r2", True, None)

    said = str(stopped.value)
    assert "nation: 30 -> 22 recipients (-26.7%)" in said
    assert f"{AKMOLA}: 10 -> 13 recipients (+30.0%)" in said
    assert f"{AKTOBE}: 20 -> 9 recipients (-55.0%)" in said
    assert str(home.run_file("r2")) in said
    assert "--override REASON" in said
    assert home.run_file("r2").exists()
    assert current_publication(home).run.run_id == "r1"


def test_regions_may_differ_where_the_nation_does_not(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 20, AKTOBE: 20})
    finish(home, "r2", {AKMOLA: 15, AKTOBE: 25})

    assert beyond(home, "r2") == [(AKMOLA, 20, 15), (AKTOBE, 20, 25)]


def test_the_nation_may_differ_where_every_region_is_small(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 9, AKTOBE: 9})
    finish(home, "r2", {AKMOLA: 4, AKTOBE: 5})

    assert beyond(home, "r2") == [(NATION, 18, 9)]


def test_a_region_that_is_gone_from_the_list_is_missed(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 100, AKTOBE: 10})
    finish(home, "r2", {AKMOLA: 100})

    assert beyond(home, "r2") == [(AKTOBE, 10, 0)]


def test_a_region_never_published_is_not_compared(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 20})
    finish(home, "r2", {AKMOLA: 20, AKTOBE: 20})

    assert changes(home, home.run_file("r2"), True) == [
        Change(NATION, 20, 20, True),
        Change(AKMOLA, 20, 20, True),
    ]


# What is compared


def test_the_month_before_stands_in_for_the_same_month(home: Home) -> None:
    put_out(home, "april", {AKMOLA: 20, AKTOBE: 20}, as_of=APRIL)
    finish(home, "may", {AKMOLA: 30, AKTOBE: 20}, as_of=MAY)

    assert beyond(home, "may") == [(NATION, 40, 50), (AKMOLA, 20, 30)]


def test_the_same_month_counts_before_the_month_before_it(home: Home) -> None:
    put_out(home, "april", {AKMOLA: 20, AKTOBE: 20}, as_of=APRIL)
    put_out(home, "may", {AKMOLA: 30}, as_of=MAY)
    finish(home, "again", {AKMOLA: 30, AKTOBE: 30}, as_of=MAY)

    assert beyond(home, "again") == [(AKTOBE, 20, 30)]


def test_a_later_publication_does_not_hide_the_month_that_is_replaced(
    home: Home,
) -> None:
    put_out(home, "april", {AKMOLA: 20}, as_of=APRIL)
    put_out(home, "may", {AKMOLA: 40}, as_of=MAY)
    finish(home, "again", {AKMOLA: 40}, as_of=APRIL)

    assert beyond(home, "again") == [(NATION, 20, 40), (AKMOLA, 20, 40)]


def test_older_lists_are_not_compared(home: Home) -> None:
    put_out(home, "april", {AKMOLA: 20}, as_of=APRIL)
    finish(home, "june", {AKMOLA: 60}, as_of=JUNE)

    assert changes(home, home.run_file("june"), True) == []


@pytest.mark.parametrize("official", [True, False])
def test_lists_by_another_reading_of_the_law_are_not_compared(
    home: Home, official: bool
) -> None:
    put_out(home, "r1", {AKMOLA: 20}, official=not official)
    finish(home, "r2", {AKMOLA: 60})

    assert changes(home, home.run_file("r2"), official) == []


def test_nothing_to_compare_with(home: Home) -> None:
    finish(home, "r1", {AKMOLA: 60})

    assert check_volume(home, "r1", True, None) == []


def test_a_run_without_a_list_is_not_compared(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 20})
    finish_run(home, "r2", list_drawn=False)

    assert check_volume(home, "r2", True, None) == []


# Override and report


def test_an_override_is_told_and_kept(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 10, AKTOBE: 100})
    finish(home, "r2", {AKMOLA: 20, AKTOBE: 100})

    assert check_volume(home, "r2", True, "new districts") == [
        f"publication.volume:{AKMOLA}"
    ]
    report = home.report("r2") / "validation" / "volume.json"
    assert json.loads(report.read_text(encoding="utf-8")) == {
        "override": "new districts",
        "compared": [
            {"where": NATION, "before": 110, "now": 120, "allowed": True},
            {"where": AKMOLA, "before": 10, "now": 20, "allowed": False},
            {"where": AKTOBE, "before": 100, "now": 100, "allowed": True},
        ],
    }


def test_an_override_of_nothing_is_nothing(home: Home) -> None:
    finish(home, "r1", {AKMOLA: 20})

    assert check_volume(home, "r1", True, "whatever") == []


def test_a_damaged_manifest_is_named(home: Home) -> None:
    put_out(home, "r1", {AKMOLA: 20})
    manifest = home.published / "2020-04-01" / AKMOLA / "manifest.json"
    manifest.write_text("{}", encoding="utf-8")
    finish(home, "r2", {AKMOLA: 20})

    with pytest.raises(KomekError, match=f"{AKMOLA}/manifest.json is damaged"):
        check_volume(home, "r2", True, "whatever")


# The tolerance as data


def test_the_tolerance_is_read() -> None:
    assert tolerance() == VolumeTolerance(max_change_percent=20, min_recipients=1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "recipients:",
        "recipients: {max_change_percent: 20}",
        "recipients: {max_change_percent: 0.2, min_recipients: 1000}",
        "recipients: {max_change_percent: -1, min_recipients: 1000}",
        "recipients: {max_change_percent: 20, min_recipients: 1, more: 1}",
        "recipients: [",
    ],
)
def test_a_wrong_tolerance_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "publication.yml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match=r"publication\.yml"):
        tolerance(file)
