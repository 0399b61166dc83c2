"""Signing in by an OpenID provider: the role comes from a claim, if all holds."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from visiting import Portal

ISSUER = "https://id.test"
KEY = RSAKey.generate_key(2048, {"kid": "1"})


class Provider:
    """A provider that says of who comes what a test has it say."""

    def __init__(self, **claims: object) -> None:
        self.claims: dict[str, Any] = claims
        self.key = KEY
        self.nonce = ""
        self.asked: dict[str, list[str]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/.well-known/openid-configuration":
            return httpx2.Response(
                200,
                json={
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                },
            )
        if request.url.path == "/keys":
            return httpx2.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        self.asked = parse_qs(request.content.decode())
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": "portal",
            "sub": "17",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return httpx2.Response(
            200, json={"access_token": "x", "token_type": "Bearer", "id_token": token}
        )


@pytest.fixture
def come(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Provider], tuple[TestClient, httpx2.Response]]:
    """Let somebody come by a provider; return their browser and the answer."""
    monkeypatch.setenv("KOMEK_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("KOMEK_OIDC_CLIENT", "portal")
    monkeypatch.setenv("KOMEK_OIDC_SECRET", "a secret")

    def coming(provider: Provider) -> tuple[TestClient, httpx2.Response]:
        portal.app.state.oidc_transport = httpx2.MockTransport(provider)
        browser = portal.client()
        sent = urlsplit(browser.get("/oidc/start").headers["location"])
        asked = parse_qs(sent.query)
        assert sent.netloc == "id.test"
        assert asked["code_challenge_method"] == ["S256"]
        provider.nonce = provider.nonce or asked["nonce"][0]
        back = f"/oidc/callback?code=c&state={asked['state'][0]}"
        return browser, browser.get(back)

    return coming


def test_the_claim_is_the_role(
    come: Callable[[Provider], tuple[TestClient, httpx2.Response]],
) -> None:
    provider = Provider(komek_role="ministry")

    browser, answer = come(provider)

    assert answer.status_code == 200
    assert "code_verifier" in provider.asked
    assert browser.get("/").headers["location"] == "/ministry"
    assert browser.get("/auditor").status_code == 404


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"komek_role": "everything"},
        {"komek_role": "auditor", "iss": "https://evil.test"},
        {"komek_role": "auditor", "aud": "another"},
        {"komek_role": "auditor", "exp": 1},
        {"komek_role": "auditor", "nonce": "another"},
    ],
)
def test_what_does_not_hold_lets_nobody_in(
    come: Callable[[Provider], tuple[TestClient, httpx2.Response]],
    claims: dict[str, object],
) -> None:
    browser, answer = come(Provider(**claims))

    assert answer.status_code == 403
    assert browser.get("/").headers["location"] == "/sign-in"


def test_another_key_lets_nobody_in(
    come: Callable[[Provider], tuple[TestClient, httpx2.Response]],
) -> None:
    provider = Provider(komek_role="auditor")
    provider.key = RSAKey.generate_key(2048, {"kid": "1"})

    assert come(provider)[1].status_code == 403


def test_what_nobody_began_ends_nowhere(
    portal: Portal,
    come: Callable[[Provider], tuple[TestClient, httpx2.Response]],
) -> None:
    browser, _ = come(Provider(komek_role="auditor"))

    assert portal.client().get("/oidc/callback?code=c&state=x").status_code == 403
    assert browser.get("/oidc/callback?code=c&state=").status_code == 403
