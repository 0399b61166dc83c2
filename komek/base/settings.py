"""The environment: every variable that komek reads or sets, and nothing else does.

They are read when somebody asks, never when a module is imported.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

# Named in messages.
KEY = "KOMEK_KEY"
SIGNING_KEY = "KOMEK_SIGNING_KEY"
VERIFY_KEY = "KOMEK_VERIFY_KEY"
MEMORY_LIMIT = "KOMEK_MEMORY_LIMIT"


@dataclass(frozen=True)
class Settings:
    """What the environment sets; an empty variable sets nothing.

    Attributes:
        home: KOMEK_HOME, where everything is written; None: `data/` in the project.
        drop: KOMEK_DROP, the folder or URL that registries are pulled from; None:
            `data/drop` in the project.
        key: KOMEK_KEY, the passphrase that what is written is encrypted under; None:
            it is not encrypted.
        signing_key: KOMEK_SIGNING_KEY, what the chain's links are signed with, 32 bytes
            in Base64 or the path of a PEM file; None: they are not signed.
        verify_key: KOMEK_VERIFY_KEY, the public keys that links are held against, the
            path of a PEM file; None: that of the signing key, if there is one.
        memory_limit: KOMEK_MEMORY_LIMIT, what DuckDB may take, in its words (`4GB`);
            None: 60% of the machine's, at most 6 GiB.
        asks_approval: KOMEK_APPROVAL, `1` where a person approves of each publication.
        collector: OPENLINEAGE_URL, where lineage events go beside the run's reports;
            None: nowhere.
        oidc_issuer: KOMEK_OIDC_ISSUER, the OpenID provider that the portal lets sign
            in; None: accounts of its own alone.
        oidc_client: KOMEK_OIDC_CLIENT, the portal's name there.
        oidc_secret: KOMEK_OIDC_SECRET, its secret there.
        oidc_claim: KOMEK_OIDC_CLAIM, the claim that has the role; None: `komek_role`.
    """

    home: str | None
    drop: str | None
    key: str | None = field(repr=False)
    signing_key: str | None = field(repr=False)
    verify_key: str | None
    memory_limit: str | None
    asks_approval: bool
    collector: str | None
    oidc_issuer: str | None
    oidc_client: str | None
    oidc_secret: str | None = field(repr=False)
    oidc_claim: str | None


def settings() -> Settings:
    """Return what the environment sets now."""
    return Settings(
        home=_given("KOMEK_HOME"),
        drop=_given("KOMEK_DROP"),
        key=_given(KEY),
        signing_key=_given(SIGNING_KEY),
        verify_key=_given(VERIFY_KEY),
        memory_limit=_given(MEMORY_LIMIT),
        asks_approval=_given("KOMEK_APPROVAL") == "1",
        collector=_given("OPENLINEAGE_URL"),
        oidc_issuer=_given("KOMEK_OIDC_ISSUER"),
        oidc_client=_given("KOMEK_OIDC_CLIENT"),
        oidc_secret=_given("KOMEK_OIDC_SECRET"),
        oidc_claim=_given("KOMEK_OIDC_CLAIM"),
    )


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a tool that is called inside; put back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _given(name: str) -> str | None:
    return os.environ.get(name) or None
