"""What a person sees who is asked whether a run may be published."""

import json
from pathlib import Path

from finished_run import PEOPLE, finish_run
from hand_filed import hand_made, publish_filed
from komek.base.places import Home
from komek.publishing.question import question_lines


def asked(home: Home, run_id: str, warnings: list[str]) -> list[str]:
    report = home.report(run_id)
    (report / "validation").mkdir(parents=True)
    for stage in ("door", "result"):
        text = json.dumps({"warnings": warnings if stage == "door" else []})
        (report / "validation" / f"{stage}.json").write_text(text)
    return question_lines(home, home.run_file(run_id), report, official=True)


def test_a_first_publication_is_against_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    finish_run(home, "r1")

    lines = asked(home, "r1", [])

    assert lines[0] == "Against the last publication (nothing is published):"
    assert "| 110000000 | 2 | – | 10,604.00 | – | published |" in lines
    assert "Warnings: none" in lines


def test_counts_and_tenge_stand_against_the_last_publication(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    publish_filed(home, hand_made(home, "r1"))
    finish_run(home, "r2", PEOPLE[:1], blocked={"150000000": "below_floor"})

    lines = asked(home, "r2", ["persons: rows_in_future: 2 rows"])

    assert lines[0] == (
        "Against the last publication (published is run r1, as of 2020-04-20):"
    )
    assert "| 110000000 | 1 | 2 | 5,302.00 | 10,604.00 | published |" in lines
    assert "- 150000000: below_floor" in lines
    assert "- persons: rows_in_future: 2 rows" in lines
    assert not any(person.iin in line for person in PEOPLE for line in lines)
