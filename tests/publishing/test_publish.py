import errno
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finished_run import (
    AKMOLA,
    AKTOBE,
    PEOPLE,
    Recipient,
    finish_run,
    with_amount,
)
from komek.base import database
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.base.places import Home
from komek.publishing.pack_files import (
    ENCRYPTED_FILES,
    FILES,
    add_pack_key,
    read_parquet,
)
from komek.publishing.packs import PACK_MANIFEST, is_whole
from komek.publishing.publication import Blocked, current_publication, refuse_other_key
from komek.publishing.publish import publish

APRIL = "2020-04-01"
MAY_20 = date(2020, 5, 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def quiet(_line: str) -> None:
    """Say nothing."""


def publish_run(home: Home, run_id: str, official: bool = True, **run: object) -> None:
    finish_run(home, run_id, **run)
    assert publish(home, run_id, official, quiet)


def pack_runs(home: Home) -> dict[str, str]:
    """Return the run of every published pack, all of them whole."""
    packs = sorted(home.published.glob("*/*"))
    assert all(is_whole(pack) for pack in packs)
    return {
        str(pack.relative_to(home.published)): json.loads(
            (pack / "manifest.json").read_text()
        )["run_id"]
        for pack in packs
    }


def warehouse_run(home: Home) -> str:
    with duckdb.connect(str(home.published_warehouse), read_only=True) as warehouse:
        return warehouse.execute("select run_id from marts.run").fetchone()[0]


def state_of(home: Home) -> tuple[str, dict[str, str]]:
    return warehouse_run(home), pack_runs(home)


def publications(home: Home) -> list[str]:
    return sorted(folder.name for folder in home.publications.iterdir())


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
    before = state_of(home)
    finish_run(home, "u1", as_of=MAY_20)
    said = []
    assert publish(home, "u1", False, said.append) is None
    assert state_of(home) == before
    assert any(str(home.run_file("u1")) in line for line in said)
    assert home.run_file("u1").is_file()


def test_official_publication_holds_no_unofficial_pack(home: Home) -> None:
    publish_run(home, "u1", official=False)
    finish_run(home, "r1", blocked={AKTOBE: "no_norm"})
    said = []
    publish(home, "r1", True, said.append)
    assert state_of(home) == ("r1", {f"{APRIL}/{AKMOLA}": "r1"})
    assert said == ["the packs of the unofficial run u1 are withdrawn"]


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


def test_damaged_current_link_is_named(home: Home) -> None:
    publish_run(home, "r1")
    shutil.rmtree(current_publication(home).folder)
    with pytest.raises(KomekError, match="leads to no publication"):
        current_publication(home)


def test_empty_folder_in_place_of_the_link_gives_way(home: Home) -> None:
    home.published.mkdir(parents=True)
    publish_run(home, "r1")
    assert home.published.is_symlink()


def test_foreign_files_in_place_of_the_link_are_kept(home: Home) -> None:
    home.published.mkdir(parents=True)
    (home.published / "notes.txt").write_text("mine")
    finish_run(home, "r1")
    with pytest.raises(KomekError, match=f"cannot publish run r1.*{home.published}"):
        publish(home, "r1", True, quiet)
    assert (home.published / "notes.txt").read_text() == "mine"
    assert current_publication(home) is None


def test_run_that_does_not_add_up_leaves_what_was_published(home: Home) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    with duckdb.connect(str(finish_run(home, "r2"))) as run:
        run.execute("update marts.region_status set recipients = recipients + 1")
    with pytest.raises(StoppedError, match=r"marts\.region_status"):
        publish(home, "r2", True, quiet)
    assert state_of(home) == before
    assert publications(home) == ["000001-r1"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("os.replace", errno.EROFS),
        ("os.rename", errno.EROFS),
        ("os.symlink", errno.EROFS),
        ("os.mkdir", errno.EROFS),
        ("os.fsync", errno.EIO),
    ],
)
def test_home_that_cannot_be_written_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    finish_run(home, "r2")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code), str(home.warehouse))

    with monkeypatch.context() as patched:
        patched.setattr(call, refuse)
        with pytest.raises(KomekError) as refused:
            publish(home, "r2", True, quiet)
    assert refused.value.exit_code == 1
    assert os.strerror(code) in str(refused.value)
    assert str(home.root) in str(refused.value)
    assert state_of(home) == before
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# Root is let past permissions by its capabilities: without them it is bound by them.
READ_ONLY = """
import ctypes, sys
from pathlib import Path
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publish import publish

version_3_of_this_process = (ctypes.c_uint32 * 2)(0x20080522, 0)
assert ctypes.CDLL(None).capset(version_3_of_this_process, (ctypes.c_uint32 * 6)()) == 0
try:
    publish(Home(Path(sys.argv[1])), "r2", True, print)
except KomekError as error:
    sys.exit(f"{error.exit_code}: {error}")
"""


@pytest.mark.parametrize("folder", ["publications", "warehouse"])
def test_read_only_folder_is_named(home: Home, folder: str) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    finish_run(home, "r2")
    place = getattr(home, folder)
    place.chmod(0o500)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(home.root)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        place.chmod(0o700)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"1: cannot publish run r2 in {home.root}: ")
    assert "Permission denied" in ended.stderr
    assert f"{place}/" in ended.stderr
    assert state_of(home) == before
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# A limit on file sizes fails writes for real, DuckDB's own too, as a full disk does.
SMALL_DISK = """
import resource, sys
from pathlib import Path
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publish import publish

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    publish(Home(Path(sys.argv[1])), sys.argv[2], True, print)
except KomekError as error:
    sys.exit(f"{error.exit_code}: {error}")
"""


@pytest.mark.parametrize("size", [4_096, 400_000])
def test_full_disk_leaves_what_was_published(home: Home, size: int) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    letters = random.Random(118)
    people = tuple(
        Recipient(f"{number:012}", address=letters.randbytes(2_000).hex())
        for number in range(200)
    )
    finish_run(home, "r2", people)
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, str(home.root), "r2", str(size)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.startswith(f"1: cannot publish run r2 in {home.root}: ")
    assert "what was published before still stands" in ended.stderr
    assert ended.returncode == 1
    assert state_of(home) == before
    assert publications(home) == ["000001-r1"]
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# Dies by SIGKILL at its n-th change in the home (or read of a file there): the imports
# are paid once, and each death is a fork that runs DuckDB for the first time.
KILLED = """
import os, signal, sys
from pathlib import Path
import komek.publishing.publish
from komek.base.places import Home

home = Home(Path(sys.argv[1]))
LOOKS = ("os.listdir", "os.scandir")

def die_at(moment):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event.startswith(("open", "os.")) and event not in LOOKS and any(
            str(argument).startswith(str(home.root)) for argument in arguments
        ):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        die_at(int(line))
        komek.publishing.publish.publish(home, "r2", True, print)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_killed_at_any_moment_the_old_or_the_new_state_is_whole(home: Home) -> None:
    publish_run(home, "r0")
    publish_run(home, "r1")
    finish_run(home, "r2", blocked={AKTOBE: "no_norm"})
    old = ("r1", {f"{APRIL}/{AKMOLA}": "r1", f"{APRIL}/{AKTOBE}": "r1"})
    new = ("r2", {f"{APRIL}/{AKMOLA}": "r2", f"{APRIL}/{AKTOBE}": "r1"})
    seen = []
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        # What a death leaves behind is what the next attempt starts from.
        for moment in range(1, 1_000):
            process.stdin.write(f"{moment}\n")
            process.stdin.flush()
            ended = int(process.stdout.readline())
            seen.append(state_of(home))
            assert seen[-1] in (old, new)
            if seen[-1] == new or ended == 0:
                break
            assert ended == -signal.SIGKILL
        process.stdin.close()
    assert len(seen) > 10
    assert seen[-1] == new
    publish(home, "r2", True, quiet)
    assert state_of(home) == new
    assert set(publications(home)) >= {"000002-r1", current_publication(home).name}


def test_killed_before_the_first_publication_nothing_is_published(home: Home) -> None:
    finish_run(home, "r2")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.root)],
        input="".join(f"{moment}\n" for moment in range(1, 30, 3)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ended.stdout.split()) == {str(-signal.SIGKILL)}
    assert current_publication(home) is None
    assert not home.published_warehouse.exists()
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# Under a key

SECRET = "correct-horse-battery"


def changes_under_a_key(home: Home) -> list[tuple[str, str]]:
    """Return iin and change of Akmola's encrypted pack of April."""
    file = home.published / APRIL / AKMOLA / "changes.parquet"
    with database.connect() as connection:
        add_pack_key(connection, AKMOLA)
        return connection.execute(
            f"select iin, change from {read_parquet(file, AKMOLA)}"
        ).fetchall()


def test_a_run_is_published_anew_under_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r1")
    publish_run(home, "r1")

    assert publications(home) == ["000001-r1", "000002-r1"]
    assert database.is_encrypted(home.published_warehouse.resolve())
    for pack in home.published.glob("*/*"):
        assert {file.name for file in pack.iterdir()} == {
            *ENCRYPTED_FILES,
            PACK_MANIFEST,
        }
        assert is_whole(pack)


def test_changes_are_told_from_a_pack_of_before_the_key_and_of_after(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r2", people=PEOPLE[1:])
    assert changes_under_a_key(home) == [(PEOPLE[0].iin, "removed")]

    publish_run(home, "r3", people=PEOPLE)
    assert changes_under_a_key(home) == [(PEOPLE[0].iin, "added")]


def test_packs_of_before_the_key_stay_as_they_are(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r2", as_of=MAY_20)

    files = {
        month: {file.name for file in (home.published / month / AKMOLA).iterdir()}
        for month in (APRIL, "2020-05-01")
    }
    assert files == {
        APRIL: {*FILES, PACK_MANIFEST},
        "2020-05-01": {*ENCRYPTED_FILES, PACK_MANIFEST},
    }


def test_nothing_is_published_in_the_open_beside_what_is_encrypted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.KEY, SECRET)
    refuse_other_key(home)
    publish_run(home, "r1")
    refuse_other_key(home)

    monkeypatch.delenv(database.KEY)
    with pytest.raises(UsageError, match="is encrypted: set KOMEK_KEY"):
        refuse_other_key(home)
    finish_run(home, "r2")
    with pytest.raises(UsageError, match="is encrypted: set KOMEK_KEY"):
        publish(home, "r2", True, quiet)
    assert current_publication(home).run.run_id == "r1"


def test_a_damaged_publication_is_no_other_key(home: Home) -> None:
    publish_run(home, "r1")
    (current_publication(home).folder / "komek.duckdb").unlink()

    refuse_other_key(home)


def test_a_publication_that_is_no_database_is_published_anew_under_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.KEY, SECRET)
    publish_run(home, "r1")
    file = current_publication(home).folder / "komek.duckdb"
    file.unlink()
    file.write_bytes(b"no database" * 2000)

    refuse_other_key(home)
    publish_run(home, "r1")

    assert publications(home) == ["000001-r1", "000002-r1"]
    assert database.is_encrypted(home.published_warehouse.resolve())
