"""OpenID Connect, where it is configured: the role comes from a claim.

KOMEK_OIDC_ISSUER, KOMEK_OIDC_CLIENT and KOMEK_OIDC_SECRET name the provider and the
portal there; KOMEK_OIDC_CLAIM the claim that has the role (`komek_role` by default).
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from fastapi import APIRouter, HTTPException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from komek.base.errors import UsageError
from komek.base.settings import settings
from komek.portal import roles
from komek.portal.sessions import begins_at, start
from komek.portal.site import site_of
from komek.portal.web import page, refuse_cross_site

router = APIRouter(include_in_schema=False)
_STATE_COOKIE = "komek_oidc"
_MINUTES = 10
_ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]


@dataclass(frozen=True)
class Provider:
    """An OpenID provider, and the portal as it knows it."""

    issuer: str
    client: str
    secret: str
    claim: str


def configured() -> Provider | None:
    """Return the provider that is configured, None where none is."""
    found = settings()
    if not (found.oidc_issuer and found.oidc_client and found.oidc_secret):
        return None
    return Provider(
        found.oidc_issuer.rstrip("/"),
        found.oidc_client,
        found.oidc_secret,
        found.oidc_claim or "komek_role",
    )


def _client(request: Request, provider: Provider, **options: Any) -> OAuth2Client:  # noqa: ANN401
    """Return what speaks to the provider; tests bring a transport of their own."""
    return OAuth2Client(
        provider.client,
        provider.secret,
        redirect_uri=str(request.url_for("callback")),
        code_challenge_method="S256",
        scope="openid",
        timeout=10,
        transport=getattr(request.app.state, "oidc_transport", None),
        **options,
    )


def _provider() -> Provider:
    provider = configured()
    if provider is None:
        raise HTTPException(404)
    return provider


def _metadata(client: OAuth2Client, provider: Provider) -> dict[str, Any]:
    path = "/.well-known/openid-configuration"
    found = client.request("GET", provider.issuer + path, withhold_token=True)
    said: dict[str, Any] = found.raise_for_status().json()
    if said.get("issuer", "").rstrip("/") != provider.issuer:
        raise HTTPException(502, "the provider names another issuer")
    return said


@router.get("/oidc/start")
def begin(request: Request) -> Response:
    """Send the browser to the provider, with what it must bring back."""
    provider, site = _provider(), site_of(request)
    refuse_cross_site(request)
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    with _client(request, provider) as client:
        metadata = _metadata(client, provider)
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
    answer = RedirectResponse(url, 303)
    # Lax: the provider's page leads back here. It holds for one way in, and is no
    # session.
    answer.set_cookie(
        _STATE_COOKIE,
        f"{state}.{nonce}.{verifier}",
        max_age=_MINUTES * 60,
        path="/oidc",
        httponly=True,
        secure=not site.options.is_plain,
        samesite="lax",
    )
    return answer


@router.get("/oidc/callback", name="callback")
def callback(request: Request, state: str = "", code: str = "") -> Response:
    """Take the provider's word for who it is, once it is held against its keys."""
    provider, site = _provider(), site_of(request)
    kept = request.cookies.get(_STATE_COOKIE, "").split(".")
    if len(kept) != 3 or not secrets.compare_digest(kept[0].encode(), state.encode()):
        raise HTTPException(403, "begin anew")
    _, nonce, verifier = kept
    with _client(request, provider) as client:
        metadata = _metadata(client, provider)
        token = client.fetch_token(
            metadata["token_endpoint"], code=code, code_verifier=verifier
        )
        keys = client.request("GET", metadata["jwks_uri"], withhold_token=True).json()
    claims = _claims(token["id_token"], keys, provider, nonce)
    try:
        role = roles.parsed(str(claims.get(provider.claim)))
    except UsageError:
        raise HTTPException(403, "no role") from None
    # Not sent on: a strict cookie does not go with what another site began.
    answer = page(request, "signed_in.html", {"to": begins_at(role)})
    answer.delete_cookie(_STATE_COOKIE, path="/oidc")
    return start(site, f"oidc {claims['sub']}"[:80], role, answer)


def _claims(
    id_token: str, keys: KeySetSerialization, provider: Provider, nonce: str
) -> dict[str, Any]:
    """Return the claims of a token that is the provider's, for us, for this way in."""
    try:
        decoded = jwt.decode(id_token, KeySet.import_key_set(keys), _ALGORITHMS)
        options = {
            "iss": {"value": provider.issuer},
            "aud": {"value": provider.client},
        }
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options,
            {"nonce": nonce, "client_id": provider.client},
        )
        claims.validate(now=int(time.time()), leeway=60)
    except (JoseError, ValueError, TypeError) as error:
        raise HTTPException(403, f"refused: {type(error).__name__}") from None
    return dict(claims)
