"""What a publication holds: what a run made, and what was published before it."""

import errno
import json
import os
import shutil
import stat
from datetime import date
from pathlib import Path

import pytest

from finished_run import (
    AKMOLA,
    AKTOBE,
    PEOPLE,
    finish_run,
    with_amount,
)
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publication import Blocked, current_publication
from komek.publishing.publish import publish
from published_runs import (
    APRIL,
    pack_runs,
    publications,
    publish_run,
    quiet,
    state_of,
)

MAY_20 = date(2020, 5, 20)


def test_nothing_is_published_at_first(home: Home) -> None:
    assert current_publication(home) is None


def test_publication_is_what_the_run_made(home: Home) -> None:
    finish_run(home, "r1", blocked={AKTOBE: "below_floor"})
    publication = publish(home, "r1", True, quiet)
    assert publication == current_publication(home)
    assert publication.run.run_id == "r1"
    assert publication.run.list_month == date(2020, 4, 1)
    assert publication.published == (AKMOLA,)
    assert publication.blocked == (Blocked(AKTOBE, "below_floor", None),)
    assert publication.previous is None
    assert state_of(home) == ("r1", {f"{APRIL}/{AKMOLA}": "r1"})


def test_fixed_links_are_relative(home: Home, tmp_path: Path) -> None:
    publish_run(home, "r1")
    moved = Home(tmp_path / "moved")
    home.root.rename(moved.root)
    assert state_of(moved)[0] == "r1"
    assert current_publication(moved).folder.parent == moved.publications


def test_next_run_of_a_month_replaces_its_packs(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2", people=with_amount(PEOPLE, "6000.00"))
    assert state_of(home) == (
        "r2",
        {f"{APRIL}/{AKMOLA}": "r2", f"{APRIL}/{AKTOBE}": "r2"},
    )
    assert current_publication(home).previous == "000001-r1"


def test_other_months_and_blocked_regions_stay_published(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2", blocked={AKTOBE: "no_norm"})
    publish_run(home, "r3", as_of=MAY_20, blocked={AKMOLA: "no_norm"})
    assert pack_runs(home) == {
        f"{APRIL}/{AKMOLA}": "r2",
        f"{APRIL}/{AKTOBE}": "r1",
        f"2020-05-01/{AKTOBE}": "r3",
    }
    assert current_publication(home).blocked == (Blocked(AKMOLA, "no_norm", None),)


def test_kept_pack_of_a_blocked_region_is_named(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2", blocked={AKTOBE: "no_norm"})
    assert current_publication(home).blocked == (Blocked(AKTOBE, "no_norm", "r1"),)


def test_run_without_a_list_swaps_the_warehouse_only(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2", as_of=date(2021, 7, 1), list_drawn=False)
    assert state_of(home) == (
        "r2",
        {f"{APRIL}/{AKMOLA}": "r1", f"{APRIL}/{AKTOBE}": "r1"},
    )
    assert current_publication(home).run.list_month is None


def test_run_without_a_list_can_be_the_first(home: Home) -> None:
    publish_run(home, "r1", list_drawn=False)
    assert state_of(home) == ("r1", {})


def test_publishing_a_run_again_changes_nothing(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2")
    before = current_publication(home), home.current.readlink()
    # Run again, its file is new; its tables are the same.
    finish_run(home, "r2")
    said = []
    assert publish(home, "r2", True, said.append) == before[0]
    assert (current_publication(home), home.current.readlink()) == before
    assert said == ["run r2 is published already"]


@pytest.mark.parametrize(
    "lost",
    [f"{APRIL}/{AKMOLA}", f"{APRIL}/{AKMOLA}/recipients.csv", "../komek.duckdb"],
)
def test_publishing_again_restores_what_was_lost(home: Home, lost: str) -> None:
    publish_run(home, "r1")
    whole = state_of(home)
    path = current_publication(home).packs / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    publish(home, "r1", True, quiet)
    assert state_of(home) == whole


def changes_of(home: Home) -> tuple[str | None, int]:
    """Return what Akmola's pack of April says: the run before, how many changes."""
    pack = home.published / APRIL / AKMOLA
    manifest = json.loads((pack / "manifest.json").read_text())
    return manifest["previous_run"], manifest["files"]["changes.csv"]["rows"]


def test_packs_carry_what_changed_since_the_publication_before(home: Home) -> None:
    publish_run(home, "r1")
    assert changes_of(home) == (None, 0)
    publish_run(home, "r2", people=PEOPLE[1:])
    assert changes_of(home) == ("r1", 1)


def test_restored_packs_are_still_compared_with_the_run_before(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2", people=PEOPLE[1:])
    (home.published / APRIL / AKMOLA / "recipients.csv").unlink()
    publish_run(home, "r2", people=PEOPLE[1:])
    assert changes_of(home) == ("r1", 1)


def test_official_packs_are_not_compared_with_unofficial_ones(home: Home) -> None:
    publish_run(home, "r1", official=False)
    publish_run(home, "r2", people=PEOPLE[1:])
    assert changes_of(home) == (None, 0)


def test_an_earlier_run_can_be_published_again(home: Home) -> None:
    publish_run(home, "r1")
    publish_run(home, "r2")
    publish(home, "r1", True, quiet)
    assert state_of(home)[0] == "r1"
    assert publications(home) == ["000002-r2", "000003-r1"]


def test_only_the_publication_before_is_kept(home: Home) -> None:
    for run_id in ("r1", "r2", "r3", "r4"):
        publish_run(home, run_id)
    assert publications(home) == ["000003-r3", "000004-r4"]
    assert current_publication(home).name == "000004-r4"
    assert sorted(home.run_ids()) == ["r1", "r2", "r3", "r4"]


def test_everything_is_the_owners_alone(home: Home) -> None:
    before = os.umask(0o022)
    try:
        finish_run(home, "r1").chmod(0o644)
        publication = publish(home, "r1", True, quiet)
    finally:
        os.umask(before)
    for path in (publication.folder, *publication.folder.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_copies_where_there_are_no_hard_links(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    publish_run(home, "r1")
    publish_run(home, "r2", blocked={AKTOBE: "no_norm"})
    assert state_of(home) == (
        "r2",
        {f"{APRIL}/{AKMOLA}": "r2", f"{APRIL}/{AKTOBE}": "r1"},
    )


def test_run_without_a_file_is_refused(home: Home) -> None:
    with pytest.raises(KomekError, match="run r9 has no finished file"):
        publish(home, "r9", True, quiet)
