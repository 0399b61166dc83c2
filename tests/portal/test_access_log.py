"""Who looked at whom stands in the log before it is shown, and stays there."""

import json
import re

from visiting import Portal, csrf_of


def test_every_page_with_a_person_is_in_the_log(portal: Portal) -> None:
    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    listed = browser.get(f"/regions/{region}/list").text
    person = re.search(r'href="(/regions/[0-9]+/people/[^"]+)"', listed)
    assert person
    iin = re.search(r'<td class="code">([0-9]{12})</td>', listed)
    assert iin
    csrf = csrf_of(browser)
    surname = re.search(r'people/[^"]+">(\S+)', listed)
    assert surname
    browser.get(person[1])
    browser.get(f"{person[1]}/certificate")
    browser.get(f"/regions/{region}/list.csv")
    browser.get(f"/regions/{region}/list.xlsx")
    browser.get(f"/regions/{region}/papers/recipients.csv")
    browser.post(f"/regions/{region}/list", data={"csrf": csrf, "surname": surname[1]})
    browser.post("/people", data={"csrf": csrf, "iin": iin[1], "reason": "she called"})

    entries = portal.site.log.about(iin[1])
    assert {entry["what"] for entry in entries} == {
        "list",
        "person",
        "certificate",
        "download csv",
        "download xlsx",
        "download pack",
        "search by surname",
        "search by IIN",
    }
    assert [e["reason"] for e in entries if e["what"] == "search by IIN"] == [
        "she called"
    ]
    assert all(e["people"] >= 1 and e["from"] == "testclient" for e in entries)


def test_the_log_holds_no_iin_and_shows_a_line_that_was_edited(portal: Portal) -> None:
    region = portal.regions[0]
    (person, *_) = sorted(portal.people_of(region))
    for _ in range(3):
        reason = {"X-Reason": "a test"}
        portal.get(f"region:{region}", f"/api/v1/people/{person}", **reason)
    ledger = portal.site.log.ledger
    kept = ledger.path.read_text()

    assert person not in kept
    assert ledger.wrong() == []
    lines = kept.splitlines(keepends=True)
    ledger.path.write_text("".join([lines[0], lines[2]]))
    assert ledger.wrong()
    edited = json.loads(lines[1]) | {"people": 0}
    ledger.path.write_text("".join([lines[0], json.dumps(edited) + "\n", lines[2]]))
    assert ledger.wrong()
    ledger.path.write_text(kept[:-5])
    portal.get("auditor", f"/api/v1/people/{person}", **{"X-Reason": "a test"})
    assert ledger.wrong()


def test_sought_in_vain_is_sought_all_the_same(portal: Portal) -> None:
    browser = portal.signed_in(f"region:{portal.regions[0]}")
    form = {"csrf": csrf_of(browser), "iin": "900101300017", "reason": "who is it"}

    assert browser.post("/people", data=form).status_code == 404
    assert len(portal.site.log.about("900101300017")) == 1


def test_an_auditor_reads_it(portal: Portal) -> None:
    region = portal.regions[0]
    portal.signed_in(f"region:{region}").get(f"/regions/{region}/list")

    text = portal.signed_in("auditor").get("/auditor/access").text

    assert f"region:{region}" in text
    assert "testclient" in text
