"""One published home for every test of the portal: the golden nation, decided once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest

from komek.base.places import Home
from komek.portal import accounts
from komek.portal.app import make_app
from komek.portal.site import Options
from visiting import Portal


@pytest.fixture(scope="session")
def published(published_golden: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a publication; this worker's own, of files that all share."""
    own = tmp_path_factory.mktemp("own") / "home"
    shutil.copytree(published_golden.root, own, symlinks=True, copy_function=_link)
    return Home(own)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


@pytest.fixture
def portal(published: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """The portal of the home, with nobody in it yet; its passwords are cheap to try."""
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "_hasher", cheap)
    monkeypatch.setattr(accounts, "_NOBODY", cheap.hash("nobody"))
    shutil.rmtree(published.root / "portal", ignore_errors=True)
    yield Portal(make_app(published, Options(is_plain=True, sign_ins_a_minute=100)))
    shutil.rmtree(published.root / "portal", ignore_errors=True)
