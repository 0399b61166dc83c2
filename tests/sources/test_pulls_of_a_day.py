"""A scheduler pulls each registry by itself: what that may not take apart, or end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from komek import scheduled
from komek.base.errors import KomekError, RefusedError
from komek.landing.snapshots import newest_snapshots
from pulled import DAY, MEMBERS, Pulls
from servers import Postgres

AWARDS = "asp_awards"


def now() -> datetime:
    return datetime.now(UTC)


def pulled(pulls: Pulls, entity: str, due: datetime | None = None) -> int:
    """Pull a registry for the day as its DAG does."""
    pulls.said = []
    return scheduled.pull_for_day(
        pulls.home, entity, DAY, pulls.said.append, say=pulls.said.append, due=due
    )


def revisions(pulls: Pulls) -> list[int]:
    """Return the newest revisions of awards and members."""
    return [
        snapshot.revision
        for entity in (AWARDS, MEMBERS)
        for snapshot in newest_snapshots(pulls.home, entity)
    ]


# What is read in one transaction


@pytest.fixture
def social(postgres: Postgres, pulls: Pulls) -> Pulls:
    postgres.execute(
        "drop schema public cascade",
        "create schema public",
        "create table asp_members (iin text, award_id text)",
        "create table asp_awards (award_id text, family_id text, applicant_iin text,"
        " aid_kind text, period_start date, period_end date, monthly_amount numeric,"
        " status text, kato text)",
    )
    enter(postgres, "a")
    pulls.connect("social", postgres.url())
    table = {"kind": "postgres", "connection": "social"}
    pulls.write(
        asp_awards=table | {"table": AWARDS}, asp_members=table | {"table": MEMBERS}
    )
    return pulls


def enter(postgres: Postgres, award: str) -> None:
    """Enter an award and its member."""
    postgres.execute(
        f"insert into asp_awards (award_id) values ('{award}')",
        f"insert into asp_members values ('1', '{award}')",
    )


def test_whoever_is_pulled_first_the_others_are_of_the_same_moment(
    postgres: Postgres, social: Pulls
) -> None:
    due = now()
    assert pulled(social, AWARDS, due) == 2
    enter(postgres, "late")
    assert pulled(social, MEMBERS, due) == 0
    assert social.said == [f"{MEMBERS}: was read with {AWARDS}"]
    assert revisions(social) == [1, 1]


def test_what_is_due_later_is_read_again_and_the_others_with_it(
    postgres: Postgres, social: Pulls
) -> None:
    assert pulled(social, AWARDS, now()) == 2
    enter(postgres, "late")
    assert pulled(social, MEMBERS, now()) == 2
    assert revisions(social) == [2, 2]
    # By hand nothing says since when.
    assert pulled(social, AWARDS) == 0
    assert social.said == ["2 snapshots unchanged"]


def test_one_that_is_refused_holds_up_its_own_pull_and_no_other(
    postgres: Postgres, social: Pulls
) -> None:
    postgres.execute("alter table asp_members rename to members")
    due = now()
    assert pulled(social, AWARDS, due) == 1
    with pytest.raises(RefusedError, match=f"{MEMBERS}: .* does not exist") as caught:
        pulled(social, MEMBERS, due)
    assert AWARDS not in str(caught.value)
    postgres.execute("alter table members rename to asp_members")
    assert pulled(social, MEMBERS, due) == 1


# What is still arriving


@pytest.fixture
def in_parts(pulls: Pulls, tmp_path: Path) -> Path:
    """The folder of a registry that comes in two parts."""
    pulls.write(asp_members={"kind": "drop", "complete": {"parts": 2}})
    folder = tmp_path / "drop" / MEMBERS
    folder.mkdir(parents=True)
    return folder


def part(folder: Path, day: str, number: int) -> None:
    """Deliver a part of a day's members."""
    (folder / day).mkdir(exist_ok=True)
    text = f"iin,award_id\n{number},a\n"
    (folder / day / f"{number}.csv").write_text(text, encoding="utf-8")


def test_a_delivery_of_the_day_that_is_not_whole_is_waited_for(
    pulls: Pulls, in_parts: Path
) -> None:
    part(in_parts, f"{DAY}", 1)
    with pytest.raises(
        KomekError, match=r"not complete yet.* 1 of its 2 parts"
    ) as told:
        pulled(pulls, MEMBERS)
    # Airflow tries that again: it is nothing that a check stopped.
    assert told.value.exit_code == 1
    assert newest_snapshots(pulls.home, MEMBERS) == []
    part(in_parts, f"{DAY}", 2)
    assert pulled(pulls, MEMBERS) == 1


def test_one_of_an_earlier_day_holds_nobody_up(pulls: Pulls, in_parts: Path) -> None:
    part(in_parts, f"{DAY - timedelta(days=1)}", 1)
    for number in (1, 2):
        part(in_parts, f"{DAY}", number)
    assert pulled(pulls, MEMBERS) == 1
    assert any("left alone" in line for line in pulls.said)
