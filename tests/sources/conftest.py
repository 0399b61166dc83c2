"""The servers that sources are tested against, started once; and pulls from them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import servers
from installed import installed
from pulled import Pulls


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    with installed(servers.postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def sftp() -> Iterator[servers.Sftp]:
    with installed(servers.sftp()) as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[servers.S3]:
    with servers.s3() as server:
        yield server


@pytest.fixture
def web() -> Iterator[servers.Web]:
    with servers.web() as server:
        yield server


@pytest.fixture
def pulls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulls:
    return Pulls(tmp_path, monkeypatch)
