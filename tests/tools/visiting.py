"""The portal as roles visit it: with a token, or signed in, in a browser's stead."""

import re
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient

from komek.base import database
from komek.portal.serve import demo_roles

ADDRESS = "http://127.0.0.1"


class Portal:
    """A portal, and what its publication's warehouse says."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.site = app.state.site
        self.home = self.site.home
        self._tokens: dict[str, str] = {}

    @property
    def roles(self) -> list[str]:
        return demo_roles(self.site.files.publication())

    @property
    def regions(self) -> list[str]:
        """The regions that have a published list."""
        return [role[7:] for role in self.roles if role.startswith("region:")]

    def client(self, **headers: str) -> TestClient:
        return TestClient(
            self.app,
            base_url=ADDRESS,
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def get(self, role: str, path: str, **headers: str | bytes) -> httpx2.Response:
        """Ask the API with a token of a role."""
        if role not in self._tokens:
            self._tokens[role] = self.site.accounts.add_token(role)[1]
        bearer = f"Bearer {self._tokens[role]}"
        return self.client().get(path, headers={"Authorization": bearer, **headers})

    def signed_in(self, role: str, lang: str = "en") -> TestClient:
        """Return a browser that an account of a role has signed in with."""
        name = f"{role} {len(self.site.accounts.users())}"
        password = self.site.accounts.add_user(name, role)
        client = self.client()
        client.cookies.set("komek_language", lang)
        assert sign_in(client, name, password).status_code == 303
        return client

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the warehouse that is published."""
        warehouse = self.home.published_warehouse
        with database.connect(warehouse, read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()

    def people_of(self, region: str) -> set[str]:
        """Return whoever is a region's: by a ledger row or a list row."""
        return {
            iin
            for (iin,) in self.ask(
                "select iin from marts.food_set_decisions where region_kato = $1"
                " union select iin from marts.food_set_lists where region_kato = $1",
                region,
            )
        }


def sign_in(
    client: TestClient, name: str, password: str, code: str = ""
) -> httpx2.Response:
    """Fill in the form as a browser does."""
    form = re.search(r'name="form" value="([^"]+)"', client.get("/sign-in").text)
    assert form
    return client.post(
        "/sign-in",
        data={"name": name, "password": password, "code": code, "form": form[1]},
    )


def csrf_of(client: TestClient) -> str:
    """Return the token that the forms of a session bring back."""
    page = client.get("/", follow_redirects=True).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]
