"""What a region's own system gets: the warehouse's rows, all and only these."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from komek.explain import explain
from komek.explain.rows import as_json
from komek.portal.site import Limit
from visiting import Portal

API = "/api/v1"
PLAN = "list_month, iin, primary_ground, mode, contract_id, allocation, iban,"
PLAN += " account_iin, amount, delivery_status, list_no, standing"
LISTS = "list_month, iin, list_no, listed_on, region_kato, district_kato, grounds,"
LISTS += " ended_on, ended_reason"


def pages(portal: Portal, role: str, path: str, limit: int) -> list[Mapping[str, Any]]:
    """Return all rows, page by page."""
    rows, cursor = [], ""
    while True:
        page = portal.get(role, f"{path}?limit={limit}{cursor}").json()
        rows += page["rows"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize("limit", [1, 1000])
def test_recipients_are_the_rows_of_the_plan_and_of_the_lists(
    portal: Portal, limit: int
) -> None:
    for region in portal.regions:
        rows = pages(
            portal, f"region:{region}", f"{API}/regions/{region}/recipients", limit
        )

        for columns, table in ((PLAN, "delivery_plan"), (LISTS, "food_set_lists")):
            expected = portal.ask(
                f"select {columns} from marts.{table} where region_kato = ?"
                " and list_month = '2020-04-01'",
                region,
            )
            names = [name.strip() for name in columns.split(",")]
            shown = [tuple(row[name] for name in names) for row in rows]
            plain = [tuple(as_json(value) for value in row) for row in expected]
            assert sorted(set(shown), key=str) == sorted(plain, key=str)
    assert portal.regions


def test_every_column_of_both_marts_is_there(portal: Portal) -> None:
    region = portal.regions[0]
    (row, *_) = portal.get(
        f"region:{region}", f"{API}/regions/{region}/recipients"
    ).json()["rows"]

    for mart in ("delivery_plan", "food_set_lists"):
        named = {name for name, *_ in portal.ask(f"describe marts.{mart}")}
        assert named <= row.keys()


def test_figures_are_the_warehouse_s(portal: Portal) -> None:
    statuses = portal.ask(
        "select region_kato, recipients, amount_total, publication, blocked_by"
        " from marts.region_status order by region_kato"
    )
    for role in ("ministry", "auditor"):
        told = portal.get(role, f"{API}/regions").json()
        assert [
            (
                one["region_kato"],
                one["recipients"],
                one["amount_total"],
                one["publication"],
                one["blocked_by"],
            )
            for one in told
        ] == [tuple(as_json(value) for value in row) for row in statuses]
    for region in portal.regions:
        role = f"region:{region}"
        (own,) = portal.get(role, f"{API}/regions").json()
        assert own["region_kato"] == region
        lists = portal.get(role, f"{API}/regions/{region}/lists").json()
        assert [
            (one["list_no"], one["listed_on"], one["added"], one["ended"])
            for one in lists
        ] == [
            (number, str(day), added, ended)
            for number, day, added, ended in portal.ask(
                "select list_no, listed_on, count(*),"
                " count(*) filter (where standing = 'ended') from marts.food_set_lists"
                " where region_kato = ? and list_no is not null"
                " group by list_month, list_no, listed_on order by list_month, list_no",
                region,
            )
        ]
        settled = portal.get(role, f"{API}/regions/{region}/reconciliation").json()
        assert [(one["sets"], one["amount_delivered"]) for one in settled] == [
            (sets, str(amount))
            for sets, amount in portal.ask(
                "select sets, amount_delivered from marts.list_reconciliation"
                " where region_kato = ? order by list_month",
                region,
            )
        ]
        for path in ("lists", "reconciliation"):
            same = portal.get("ministry", f"{API}/regions/{region}/{path}").json()
            assert same == portal.get(role, f"{API}/regions/{region}/{path}").json()


def test_quality_counts_what_was_rejected(portal: Portal) -> None:
    told = portal.get("engineer", f"{API}/quality").json()

    assert {one["entity"]: one["rows_quarantined"] for one in told} == dict(
        portal.ask("select entity, rows_quarantined from marts.snapshot_use")
    )
    assert sorted(
        (one["entity"], row["reason"], row["rows"])
        for one in told
        for row in one["quarantine"]
    ) == portal.ask(
        "select entity, reason, count(*) from marts.quarantine group by entity, file,"
        " reason order by all"
    )


def test_a_person_is_as_explain_has_them(portal: Portal) -> None:
    region = portal.regions[0]
    person = sorted(portal.people_of(region))[0]
    path = f"{API}/people/{person}"
    reason = {"X-Reason": "сұрау: a call of 20 April".encode()}

    told = portal.get(f"region:{region}", path, **reason)

    assert told.json() == explain(portal.home, person)
    assert portal.get("auditor", path, **reason).json() == told.json()
    (entry,) = [e for e in portal.site.log.about(person) if e["role"] != "auditor"]
    assert entry["reason"] == "сұрау: a call of 20 April"


def test_without_a_token_that_holds_there_is_nothing(portal: Portal) -> None:
    accounts = portal.site.accounts
    revoked_id, revoked = accounts.add_token("auditor")
    accounts.revoke(revoked_id)
    yesterday = date.today() - timedelta(days=2)  # noqa: DTZ011
    _, expired = accounts.add_token("auditor", yesterday)
    _, lasting = accounts.add_token("auditor", date.today() + timedelta(days=2))  # noqa: DTZ011
    client = portal.client()

    paths = [route.path for route in portal.app.routes if route.path.startswith(API)]
    paths = [path for path in paths if not path.endswith("openapi.json")]
    assert len(paths) > 6
    for path in paths:
        asked = path.format(kato="110000000", iin="000000000000")
        for header in (
            {},
            *({"Authorization": f"Bearer {t}"} for t in ("", "x", revoked, expired)),
        ):
            assert client.get(asked, headers=header).status_code == 401
    answer = client.get(
        f"{API}/regions", headers={"Authorization": f"Bearer {lasting}"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "regions/11/lists",
        "regions/11000000x/recipients",
        "regions/110000000/recipients?month=2020-13",
        "regions/110000000/recipients?month=2020-04-15",
        "regions/110000000/recipients?limit=0",
        "regions/110000000/recipients?limit=1001",
        "regions/110000000/recipients?limit=x",
        "regions/110000000/recipients?cursor=x",
        "regions/110000000/recipients?cursor=999999.1",
        "people/123",
        "people/123456789012",
    ],
)
def test_what_is_malformed_is_said_to_be(portal: Portal, path: str) -> None:
    answer = portal.get("auditor", f"{API}/{path}", **{"X-Reason": "a test"})

    assert answer.status_code == 422
    assert "123456789012" not in answer.text


def test_a_person_needs_a_reason_of_one_line(portal: Portal) -> None:
    person = sorted(portal.people_of(portal.regions[0]))[0]

    assert portal.get("auditor", f"{API}/people/{person}").status_code == 422
    blank = portal.get("auditor", f"{API}/people/{person}", **{"X-Reason": "  "})
    assert blank.status_code == 422


def test_past_the_limit_one_waits(portal: Portal) -> None:
    portal.site.requests = Limit(2)

    statuses = [portal.get("engineer", f"{API}/quality").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert portal.get("auditor", f"{API}/quality").status_code == 200


def test_it_says_that_it_lives(portal: Portal) -> None:
    assert portal.client().get("/healthz").status_code == 200
