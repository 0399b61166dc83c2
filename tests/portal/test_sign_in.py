"""Who gets in, for how long, and what other sites cannot do in their name."""

import re
import sqlite3
from contextlib import closing

import argon2
import pyotp
import pytest
from fastapi.testclient import TestClient

from komek.portal import accounts as of_accounts
from visiting import ADDRESS, Portal, csrf_of, sign_in

NAME, PASSWORD = "anna", "a password of hers"


@pytest.fixture
def anna(portal: Portal) -> TestClient:
    portal.site.accounts.add_user(NAME, "auditor", PASSWORD)
    return portal.client()


def test_a_session_begins_with_a_new_cookie_that_scripts_cannot_read(
    anna: TestClient,
) -> None:
    anna.cookies.set("komek_session", "fixed-by-somebody")

    answer = sign_in(anna, NAME, PASSWORD)

    (cookie,) = [
        one
        for one in answer.headers.get_list("set-cookie")
        if one.startswith("komek_session=")
    ]
    assert "fixed-by-somebody" not in cookie
    for flag in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert flag in cookie
    assert anna.get("/auditor").status_code == 200


def test_behind_tls_the_cookie_is_bound_to_the_host(portal: Portal) -> None:
    from komek.portal.app import make_app  # noqa: PLC0415
    from komek.portal.site import Options  # noqa: PLC0415

    client = TestClient(
        make_app(portal.home, Options()),
        base_url="https://portal.test",
        follow_redirects=False,
    )
    portal.site.accounts.add_user(NAME, "auditor", PASSWORD)

    answer = sign_in(client, NAME, PASSWORD)

    cookies = answer.headers.get_list("set-cookie")
    assert any(c.startswith("__Host-komek_session=") and "Secure" in c for c in cookies)
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert client.get("/auditor").status_code == 200


def test_after_some_failures_nothing_is_right_and_nobody_is_told(
    portal: Portal, anna: TestClient
) -> None:
    told = {sign_in(anna, NAME, "not hers at all").text for _ in range(5)}

    assert len({re.sub(r'value="[^"]*"', "", text) for text in told}) == 1
    assert sign_in(anna, NAME, PASSWORD).status_code == 401
    assert sign_in(anna, "nobody", PASSWORD).status_code == 401
    portal.site.accounts.set_password(NAME, PASSWORD)
    assert sign_in(anna, NAME, PASSWORD).status_code == 303


def test_a_second_factor_is_asked_for_and_serves_once(
    portal: Portal, anna: TestClient
) -> None:
    address = portal.site.accounts.set_totp(NAME)
    code = pyotp.parse_uri(address).now()

    assert sign_in(anna, NAME, PASSWORD).status_code == 401
    assert sign_in(anna, NAME, PASSWORD, code).status_code == 303
    assert sign_in(portal.client(), NAME, PASSWORD, code).status_code == 401


def test_a_session_ends(
    portal: Portal, anna: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(anna, NAME, PASSWORD)
    now = of_accounts.time.time()
    monkeypatch.setattr(of_accounts.time, "time", lambda: now + 14 * 60)
    assert anna.get("/auditor").status_code == 200
    monkeypatch.setattr(of_accounts.time, "time", lambda: now + 30 * 60)
    assert anna.get("/auditor").headers["location"] == "/sign-in"
    monkeypatch.undo()

    sign_in(anna, NAME, PASSWORD)
    stolen = portal.client()
    stolen.cookies.update(anna.cookies)
    anna.post("/sign-out", data={"csrf": csrf_of(anna)})
    assert stolen.get("/auditor").status_code == 303

    sign_in(anna, NAME, PASSWORD)
    portal.site.accounts.disable(NAME)
    assert anna.get("/auditor").status_code == 303
    assert sign_in(anna, NAME, PASSWORD).status_code == 401


def test_another_site_sends_no_form(portal: Portal) -> None:
    browser = portal.signed_in("auditor")
    csrf = csrf_of(browser)
    form = {"iin": "900101300017", "reason": "a test", "csrf": csrf}

    assert browser.post("/people", data=form | {"csrf": ""}).status_code == 403
    assert browser.post("/people", data=form | {"csrf": "x"}).status_code == 403
    other = portal.signed_in("auditor")
    assert other.post("/people", data=form).status_code == 403
    for header in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert browser.post("/people", data=form, headers=header).status_code == 403
    own = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/people", data=form, headers=own).status_code == 200
    assert (
        portal.client().post("/sign-in", data={"name": "a", "form": "x"}).status_code
        == 200
    )


def test_an_account_of_another_setting_is_hashed_anew_when_it_signs_in(
    portal: Portal, anna: TestClient
) -> None:
    file = portal.home.root / "portal" / "accounts.sqlite"
    hashed = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("update users set password = ?", [hashed.hash(PASSWORD)])
    rights = [sign_in(anna, NAME, PASSWORD).status_code for _ in range(2)]

    assert rights == [303, 303]
    with closing(sqlite3.connect(file)) as connection:
        (kept,) = connection.execute("select password from users").fetchone()
    assert not of_accounts._hasher.check_needs_rehash(kept)
    assert sign_in(portal.client(), NAME, PASSWORD[1:]).status_code == 401


def test_of_passwords_tokens_and_sessions_the_file_has_hashes(
    portal: Portal, anna: TestClient
) -> None:
    sign_in(anna, NAME, PASSWORD)
    _, token = portal.site.accounts.add_token("auditor")
    folder = portal.home.root / "portal"
    kept = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())

    for secret in (PASSWORD, token, anna.cookies["komek_session"]):
        assert secret.encode() not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
