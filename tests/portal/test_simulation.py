"""What if: who may ask, what is asked of the command, what its figures look like."""

import json
from typing import Any

import pytest

from komek.portal import accounts
from visiting import Portal, csrf_of

LEFT = {"as_of": "2020-04-20", "policy": [""], "parameter": ["mrp"], "value": [""]}


def figure(kind: str, code: str, name: str, *numbers: object) -> dict[str, Any]:
    before, after, gained, lost, was, will = numbers
    return {
        "kind": kind,
        "code": code,
        "name": name,
        "people_before": before,
        "people_after": after,
        "gained": gained,
        "lost": lost,
        "tenge_before": was,
        "tenge_after": will,
    }


SAID = {
    "as_of": "2020-04-20",
    "known_at": "2020-04-20",
    "policies": {"food_set.age_upper": "through_age_18"},
    "parameters": {},
    "against": {"run_id": None, "as_of": "2020-04-20", "policies": {}},
    "figures": [
        figure("country", "", "", 70, 75, 7, 2, "420000.00", "450000.00"),
        figure("region", "110000000", "Акмолинская", 9, 12, 4, 1, "54000", "72000"),
        figure("district", "111010000", "Кокшетау", 5, 8, 3, 0, "30000", "48000"),
        figure("district", "113200000", "район № 1", 4, 4, 0, 0, "24000", "24000"),
        figure("ground", "p25_1", "", 31, 36, 5, 0, "186000", "216000"),
    ],
    "extensions": [
        {
            "kind": "payout_schedule",
            "rows_before": 11,
            "rows_after": 13,
            "gained": 2,
            "lost": 0,
            "tenge_before": "1000",
            "tenge_after": "1500",
        }
    ],
    "regions": [
        {
            "region_kato": "110000000",
            "blocked_before": None,
            "blocked_after": "below_floor",
        }
    ],
    "budget": {"before": "420000.00", "after": "450000.00", "change": "30000.00"},
}


def keep(portal: Portal, of: str, status: int, said: dict[str, Any]) -> None:
    """Keep what a simulation printed, as the portal does when it has ended."""
    folder = accounts.portal_folder(portal.home) / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"at": "2020-04-21T09:00:00+00:00", "exit_status": status, "said": said}
    (folder / f"simulate-{of}.json").write_text(json.dumps(kept))


@pytest.fixture
def asked(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are started; none is."""
    commands: list[list[str]] = []

    def start(_name: str, arguments: list[str]) -> bool:
        commands.append(arguments)
        return True

    monkeypatch.setattr(portal.site.jobs, "start", start)
    return commands


def test_ministry_and_auditor_may_ask_and_nobody_else(
    portal: Portal, asked: list[list[str]]
) -> None:
    for role in portal.roles:
        browser = portal.signed_in(role)
        may = role in ("ministry", "auditor")
        assert browser.get("/simulation").status_code == (200 if may else 404), role
        form = LEFT | {"csrf": csrf_of(browser)}
        sent = browser.post("/simulation", data=form)
        assert sent.status_code == (303 if may else 404), role
    assert asked == [["simulate", "--as-of", "2020-04-20"]] * 2


def test_what_is_chosen_is_asked_of_the_command(
    portal: Portal, asked: list[list[str]]
) -> None:
    browser = portal.signed_in("ministry")
    form = LEFT | {
        "csrf": csrf_of(browser),
        "policy": ["", "food_set.age_upper=through_age_18"],
        "parameter": ["food_set_floor", "mrp"],
        "value": [" 3 ", ""],
    }
    sent = browser.post("/simulation", data=form)

    assert asked == [
        [
            *("simulate", "--as-of", "2020-04-20"),
            *("--policy", "food_set.age_upper=through_age_18"),
            *("--parameter", "food_set_floor=3"),
        ]
    ]
    assert sent.headers["location"].startswith("/simulation?of=")
    # Nothing came of it, for another was running.
    page = browser.get(sent.headers["location"]).text
    assert "It could not be started" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": ["food_set.age_upper=99"]},
        {"policy": ["--home=/tmp"]},
        {"parameter": ["mrp"], "value": ["much"]},
        {"parameter": ["nothing"], "value": ["1"]},
        {"as_of": "20 April"},
        {"policy": ["x" * 200]},
    ],
)
def test_what_is_no_reading_is_refused(
    portal: Portal, asked: list[list[str]], wrong: dict[str, Any]
) -> None:
    browser = portal.signed_in("auditor")
    form = LEFT | {"csrf": csrf_of(browser)} | wrong
    assert browser.post("/simulation", data=form).status_code == 422
    assert asked == []


@pytest.mark.parametrize("lang", ["ru", "kk", "en"])
def test_its_figures_are_shown_in_each_language(portal: Portal, lang: str) -> None:
    keep(portal, "0" * 12, 0, SAID)
    page = portal.signed_in("ministry", lang).get("/simulation?of=" + "0" * 12).text

    shown = page.replace("\xa0", " ").replace("\u202f", " ")
    assert "food_set.age_upper=through_age_18" in shown
    assert "Кокшетау" in shown
    # Of the districts only those that change.
    assert "район № 1" not in shown
    thousands = "," if lang == "en" else " "
    assert f"450{thousands}000" in shown
    assert f"+30{thousands}000" in shown


def test_why_it_was_stopped_is_said(portal: Portal) -> None:
    keep(portal, "1" * 12, 3, {"message": "persons: no snapshot", "exit_status": 3})
    page = portal.signed_in("auditor").get("/simulation?of=" + "1" * 12).text
    assert "persons: no snapshot" in page
