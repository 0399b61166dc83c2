"""Requests that mean harm: none fails, none shows anything, none does anything."""

import pytest

from visiting import Portal, csrf_of

SQL = "' or 1=1; attach '/etc/passwd' as x; --"
SCRIPT = "<script>alert(1)</script>"
LONG = "9" * 5_000
API = [
    f"regions/{SQL}/lists",
    f"regions/110000000{SQL}/recipients",
    "regions/110000000/recipients?month=2020-04' or '1'='1",
    "regions/110000000/recipients?cursor=000001.1;drop table recipients",
    "regions/110000000/recipients?cursor=999999999.999999999999",
    "regions/110000000/recipients?limit=-1",
    "regions/110000000/recipients?limit=1e9",
    "regions/110000000/recipients?limit=99999999999999999999",
    "regions/110000000/recipients?month=0000-01",
    "regions/110000000/recipients?month=9999-12",
    f"regions/110000000/recipients?cursor={LONG}",
    "regions/110000000/recipients?limit=1&limit=2&kato=150000000",
    "regions/%00/lists",
    "regions/１１００００００/lists",
    "regions/../../../../etc/passwd",
    "regions/%2e%2e%2f%2e%2e%2fetc%2fpasswd/lists",
    "people/%F0%9F%98%80",
    "people/１２３４５６７８９０１２",
    "people/000000000000",
    f"people/{SQL}",
    "people/..%2f..%2fwarehouse",
    "publications/../../../x",
    "quality?x=" + "a" * 1_000,
]
PAGES = [
    f"list?district={SQL}",
    f"list?ground={SCRIPT}",
    f"list?contract={SCRIPT}",
    "list?contract=" + "x" * 81,
    "list?sort=iin;drop table people",
    "list?page=-1",
    "list?page=999999",
    "list?page=99999999999999999999999",
    "list?month=2020-99-99",
    "list?no=1 union select 1",
    "list?no=" + "1" * 400,
    "list.csv?sort=../../x",
    "list.xlsx?district=%00",
    "people/000001/-1",
    "people/000001/999999999999999999",
    "people/..%2f..%2f/1",
    "people/999999/1",
    "papers/..%2fmanifest.json",
    "papers/manifest.json",
    "papers/%2e%2e",
    "sign-off?list_no=1",
    "%2e%2e/150000000",
]
OTHERS = [
    "/static/../app.py",
    "/static/%2e%2e/%2e%2e/app.py",
    "/static//etc/passwd",
    "/docs/20200420-000000000000/../../../portal/accounts.sqlite",
    "/docs/20200420-000000000000/%2e%2e/%2e%2e/receipt.json",
    "/quality/..%2fx",
    "/language/xx",
    "/language/ru?to=//evil.example",
    "/language/ru?to=https://evil.example",
    "/language/ru?to=/%0d%0aSet-Cookie:%20x=1",
    "/language/ru?to=/\\evil.example",
    "/" + "a" * 1_900,
    "/" + "a" * 3_000,
    "/oidc/start",
    "/oidc/callback?state=x&code=y",
]


@pytest.mark.parametrize("path", API)
def test_no_call_of_the_api_breaks_it(portal: Portal, path: str) -> None:
    for role in ("region:110000000", "auditor"):
        answer = portal.get(role, f"/api/v1/{path}", **{"X-Reason": "a test"})

        assert answer.status_code < 500
        assert "root:" not in answer.text
        assert SQL not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_no_address_of_a_page_breaks_it(portal: Portal, path: str) -> None:
    region = portal.regions[0]
    answer = portal.signed_in(f"region:{region}").get(f"/regions/{region}/{path}")

    assert answer.status_code < 500
    assert SCRIPT not in answer.text


def test_no_other_address_breaks_it(portal: Portal) -> None:
    browser = portal.signed_in("engineer")
    for path in OTHERS:
        answer = browser.get(path)
        assert answer.status_code < 500, path
        assert "evil" not in answer.headers.get("location", ""), path
        assert "x" not in answer.cookies, path
        assert "SQLite" not in answer.text, path


def test_no_form_breaks_it(portal: Portal) -> None:
    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    csrf = csrf_of(browser)
    forms = [
        ("/people", {"iin": SQL, "reason": "x"}),
        ("/people", {"iin": "\x00", "reason": "x"}),
        ("/people", {"iin": "900101300017", "reason": "two\nlines"}),
        ("/people", {"iin": "900101300017", "reason": "a\u2028b"}),
        ("/people", {"iin": "900101300017"}),
        (f"/regions/{region}/list", {"surname": "%' or '1'='1"}),
        (f"/regions/{region}/list", {"surname": SCRIPT}),
        (f"/regions/{region}/list", {"surname": "\ud800".encode("utf-8", "replace")}),
        (f"/regions/{region}/sign-off", {"list_no": "1", "list_month": "x"}),
        (f"/regions/{region}/sign-off", {"list_no": "-1", "sha256": "x"}),
    ]
    for path, form in forms:
        answer = browser.post(path, data={"csrf": csrf, **form})
        assert answer.status_code < 500, path
        assert SCRIPT not in answer.text, path


def test_what_is_oversized_is_refused(portal: Portal) -> None:
    client = portal.client()

    assert client.post("/sign-in", content=b"x" * 40_000).status_code == 413
    assert client.post("/sign-in", content=iter([b"x" * 20_000] * 3)).status_code == 413
    assert client.get("/sign-in?" + "x" * 3_000).status_code == 414
    answer = client.post(
        "/sign-in",
        content=b"\xff\xfe",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code < 500
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/xml"):
        answer = client.post("/sign-in", content=b"{", headers={"Content-Type": kind})
        assert answer.status_code < 500


def test_headers_do_not_say_who_one_is(portal: Portal) -> None:
    smuggled = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-User": "auditor",
        "X-Original-URL": "/auditor",
        "X-HTTP-Method-Override": "DELETE",
        "Host": "evil.example",
        "Transfer-Encoding": "chunked",
    }
    client = portal.client(**smuggled)

    assert client.get("/auditor").headers["location"] == "/sign-in"
    assert client.get("/api/v1/regions").status_code == 401


def test_every_answer_tells_browsers_what_to_refuse(portal: Portal) -> None:
    browser = portal.signed_in("auditor")
    for path in ("/auditor", "/nowhere", "/api/v1/regions", "/sign-in", "/healthz"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    page = browser.get("/auditor").text
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick" not in page


def test_names_of_the_registers_are_text_and_nothing_else(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from komek.portal import files  # noqa: PLC0415

    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    real = files.Reader.rows

    def poisoned(self: files.Reader, *asked: object) -> list[dict[str, object]]:
        return [
            {n: SCRIPT if n in ("last_name", "address") else v for n, v in row.items()}
            for row in real(self, *asked)
        ]

    monkeypatch.setattr(files.Reader, "rows", poisoned)
    text = browser.get(f"/regions/{region}/list").text

    assert SCRIPT not in text
    assert "&lt;script&gt;" in text
