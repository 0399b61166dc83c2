"""No region sees another: by any route, by its file, or by a miss."""

import re

import pytest
from starlette.routing import Route

from komek.base import database
from komek.publishing.role_files import FOLDER
from visiting import Portal, csrf_of

# What an answer about nobody looks like: no page of the role's own.
REFUSED = {401, 403, 404, 405, 409, 422}
# Whose pages are no one's in particular.
OPEN = ("/", "/sign-in", "/sign-out", "/language", "/oidc", "/static", "/healthz")


@pytest.fixture
def pair(portal: Portal) -> tuple[str, str]:
    """Two regions that share nobody."""
    for one in portal.regions:
        for other in portal.regions:
            if one != other and not portal.people_of(one) & portal.people_of(other):
                return one, other
    raise AssertionError


def secrets_of(portal: Portal, region: str) -> set[str]:
    """Return what nobody else may see of a region: people, ids, counts of hashes."""
    rows = portal.ask(
        "select iin, iban, account_iin from marts.delivery_plan where region_kato = ?",
        region,
    )
    return portal.people_of(region) | {text for row in rows for text in row if text}


def routes(portal: Portal) -> list[tuple[str, str]]:
    """Return every route, method and path, those of the document among them."""
    found = [
        (method, route.path)
        for route in portal.app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    ]
    listed = portal.client().get("/api/v1/openapi.json").json()["paths"]
    assert {path for _, path in found} >= set(listed)
    assert len(found) > 50
    return [(m, path) for m, path in found if m != "HEAD" and not _is_open(path)]


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(
        tuple(f"{one}/" for one in OPEN if one != "/")
    )


def filled(path: str, other: str, person: str, number: str) -> list[str]:
    """Return a path's addresses as somebody would guess them for another region."""
    values = {
        "kato": [other],
        "iin": [person],
        "number": [number],
        "person": ["0", "1", "2", "3"],
        "entity": ["persons", "deliveries"],
        "table": ["payouts", "marts.delivery_plan"],
        "mart": ["delivery_plan"],
        "n": ["0"],
        "run_id": ["20200420-000000000000"],
        "name": ["recipients.csv", "recipients.parquet"],
        "path:path": [f"../../../warehouse/current/roles/region-{other}.duckdb"],
    }
    addresses = [path]
    for name, given in values.items():
        addresses = [
            address.replace(f"{{{name}}}", value)
            for address in addresses
            for value in (given if f"{{{name}}}" in address else [""])
        ]
    return addresses


def test_no_route_gives_a_region_what_is_another_s(
    portal: Portal, pair: tuple[str, str]
) -> None:
    own, other = pair
    hidden = secrets_of(portal, other) - secrets_of(portal, own)
    person = sorted(portal.people_of(other))[0]
    number = portal.site.files.publication().name.partition("-")[0]
    browser = portal.signed_in(f"region:{own}")
    csrf = csrf_of(browser)
    token = portal.site.accounts.add_token(f"region:{own}")[1]
    system = portal.client(Authorization=f"Bearer {token}", **{"X-Reason": "a test"})
    forms = {
        "csrf": csrf,
        "iin": person,
        "reason": "a test",
        "surname": "А",
        "list_month": "2020-04-01",
        "list_no": "1",
        "sha256": "0" * 64,
        "run_id": "x",
        "first": "x",
        "second": "x",
    }
    assert hidden
    for method, path in routes(portal):
        for address in filled(path, other, person, number):
            client = system if path.startswith("/api") else browser
            answer = client.request(
                method, address, data=forms if method == "POST" else None
            )
            assert answer.status_code < 500, address
            assert not [text for text in hidden if text in answer.text], address
            if "{kato}" in path or "{iin}" in path:
                assert answer.status_code in REFUSED, address


def test_a_cursor_of_another_region_leads_nowhere_else(
    portal: Portal, pair: tuple[str, str]
) -> None:
    own, other = pair
    path = "/api/v1/regions/{}/recipients"
    theirs = portal.get(f"region:{other}", path.format(other) + "?limit=1").json()
    cursor = theirs["next"] or f"{portal.site.files.publication().name[:6]}.1"

    mine = portal.get(f"region:{own}", path.format(own) + f"?cursor={cursor}").json()

    shown = {row["iin"] for row in mine["rows"]}
    assert shown <= portal.people_of(own)


def test_a_miss_says_nothing_of_whom_it_missed(
    portal: Portal, pair: tuple[str, str]
) -> None:
    own, other = pair
    theirs = sorted(portal.people_of(other) - portal.people_of(own))[0]
    role = f"region:{own}"
    answers = [
        portal.get(role, f"/api/v1/people/{iin}", **{"X-Reason": "a test"})
        for iin in (theirs, "900101300017")
    ]

    assert len({(one.status_code, one.text) for one in answers}) == 1
    assert answers[0].status_code == 404


@pytest.mark.parametrize(
    "role",
    ["ministry", "engineer", "body:mse", "body:fund", "body:employment", "auditor"],
)
def test_who_sees_no_person_sees_none(portal: Portal, role: str) -> None:
    """The engineers and the ministry see no person; bodies none but their own."""
    browser = portal.signed_in(role)
    token = portal.site.accounts.add_token(role)[1]
    region = portal.regions[0]
    people = portal.people_of(region)
    statuses = {
        path: portal.client(Authorization=f"Bearer {token}", **{"X-Reason": "test"})
        .get(f"/api/v1/{path}")
        .status_code
        for path in (f"regions/{region}/recipients", f"people/{min(people)}")
    }
    seen = browser.get("/", follow_redirects=True).text
    for href in set(re.findall(r'href="(/[^"#?]*)', seen)):
        if role != "auditor" and not href.startswith(("/static", "/body", "/docs")):
            text = browser.get(href, follow_redirects=True).text
            assert not [iin for iin in people if iin in text], href

    assert set(statuses.values()) == ({200} if role == "auditor" else {404})
    list_page = browser.get(f"/regions/{region}/list").status_code
    assert list_page == (200 if role == "auditor" else 404)


def test_a_region_s_file_has_its_own_people_alone(portal: Portal) -> None:
    publication = portal.site.files.publication()
    everybody = {region: portal.people_of(region) for region in portal.regions}
    for region in portal.regions:
        file = publication.folder / FOLDER / f"region-{region}.duckdb"
        with database.connect(file, read_only=True) as connection:
            columns = connection.execute(
                "select table_name, column_name from information_schema.columns"
                " where table_catalog = current_database() and data_type = 'VARCHAR'"
            ).fetchall()
            texts = {
                value
                for table, column in columns
                # Whose account it goes to may live anywhere: a parent, a guardian.
                if column != "account_iin"
                for (value,) in connection.execute(
                    f'select distinct "{column}" from {table}'
                ).fetchall()
                if value
            }
            (rows,) = connection.execute("select count(*) from people").fetchone()
        others = (
            set().union(*(everybody[other] for other in everybody)) - everybody[region]
        )
        assert rows == len(everybody[region])
        assert not texts & others
        assert not texts & ({*portal.regions} - {region})
