"""What is published: a publication as its `publication.json` states it.

A publication is one folder, never changed::

    warehouse/publications/<number>-<run_id>/
        publication.json                        what it is
        komek.duckdb                            the run's own file (a hard link)
        published/<list_month>/<region_kato>/   the packs
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database
from komek.base.errors import KomekError, UsageError
from komek.base.places import Home

WAREHOUSE = "komek.duckdb"
PACKS = "published"
STATE = "publication.json"
# It is not there, no JSON, or JSON of something else.
_NO_STATE = (OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class FinishedRun:
    """What a finished run says of itself."""

    run_id: str
    as_of: date
    known_at: date
    list_drawn: bool

    @property
    def list_month(self) -> date | None:
        """The first day of the month whose list the run drew."""
        return self.as_of.replace(day=1) if self.list_drawn else None


@dataclass(frozen=True)
class ChainHead:
    """The last link of the chain of receipts: its number and its hash.

    What leaves the home carries it (packs) and what is published (`publication.json`):
    whoever cuts the chain before it does not reach those.
    """

    sequence: int
    sha256: str

    def __str__(self) -> str:
        """Return it as people write it down."""
        return f"{self.sequence}:{self.sha256}"


def chain_head_of(stated: Mapping[str, Any]) -> ChainHead | None:
    """Return the head that a manifest or state names; older ones name none.

    Raises:
        TypeError: what it names is none.
    """
    named = stated.get("chain_head")
    return ChainHead(**named) if named is not None else None


def parsed_head(text: str) -> ChainHead:
    """Return the head that people wrote down.

    Raises:
        UsageError: it is none.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,9}):([0-9a-f]{64})", text)
    if found is None:
        raise UsageError(f"{text!r} is no head of a chain, NUMBER:SHA256")
    return ChainHead(int(found[1]), found[2])


@dataclass(frozen=True)
class Blocked:
    """A region the run could not publish, and the run whose pack still stands."""

    region_kato: str
    blocked_by: str
    kept_run: str | None


@dataclass(frozen=True)
class Publication:
    """A publication as its `publication.json` states it.

    `published` are the regions whose packs this run wrote; `previous` names the
    publication it replaced; `chain_head` is the link that the chain of receipts ended
    in, None where it had none.
    """

    name: str
    folder: Path
    official: bool
    run: FinishedRun
    published: tuple[str, ...]
    blocked: tuple[Blocked, ...]
    previous: str | None
    chain_head: ChainHead | None = None

    @property
    def packs(self) -> Path:
        """The folder of its packs, by list month and region."""
        return self.folder / PACKS


def read_run(run_file: Path) -> FinishedRun:
    """Read what a finished run's file says of the run.

    Raises:
        duckdb.Error: the file is no finished run's.
    """
    with database.connect(run_file, read_only=True) as connection:
        row = connection.execute(
            "select run_id, as_of, known_at, list_drawn from marts.run"
        ).fetchone()
    if row is None:
        raise duckdb.InvalidInputException("marts.run is empty")
    return FinishedRun(*row)


def current_publication(home: Home) -> Publication | None:
    """Return the publication that holds now, None where nothing is published.

    Raises:
        KomekError: what `warehouse/current` leads to is no publication.
    """
    if not home.current.is_symlink():
        return None
    folder = home.publications / home.current.readlink().name
    try:
        return _read_state(folder)
    except _NO_STATE as error:
        raise KomekError(
            f"{home.current} leads to no publication ({error}); "
            "restore it, or remove the link and publish a run anew"
        ) from error


def refuse_other_key(home: Home) -> None:
    """Refuse to go on in a home whose publication KOMEK_KEY, or its lack, cannot open.

    Without it a run would publish in the open what was encrypted before.

    Raises:
        UsageError: what is published is encrypted under another key, or there is none.
        KomekError: what `warehouse/current` leads to is no publication.
    """
    publication = current_publication(home)
    if publication:
        # What is damaged is published anew.
        with suppress(OSError, duckdb.Error):
            database.is_encrypted(publication.folder / WAREHOUSE)


def stated(home: Home, name: str | None) -> Publication | None:
    """Return a publication by its name, None where it is not there any more."""
    if name is None:
        return None
    folder = home.publications / name
    try:
        return _read_state(folder)
    except _NO_STATE:
        return None


def to_state(publication: Publication) -> dict[str, Any]:
    """Return what `publication.json` says of a publication."""
    run = publication.run
    list_month = run.list_month
    return {
        "run_id": run.run_id,
        "official": publication.official,
        "as_of": run.as_of.isoformat(),
        "known_at": run.known_at.isoformat(),
        "list_month": list_month.isoformat() if list_month else None,
        "published": list(publication.published),
        "blocked": [asdict(region) for region in publication.blocked],
        "previous": publication.previous,
        "chain_head": asdict(head) if (head := publication.chain_head) else None,
    }


def _read_state(folder: Path) -> Publication:
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return Publication(
        name=folder.name,
        folder=folder,
        official=state["official"],
        run=FinishedRun(
            run_id=state["run_id"],
            as_of=date.fromisoformat(state["as_of"]),
            known_at=date.fromisoformat(state["known_at"]),
            list_drawn=state["list_month"] is not None,
        ),
        published=tuple(state["published"]),
        blocked=tuple(Blocked(**region) for region in state["blocked"]),
        previous=state["previous"],
        chain_head=chain_head_of(state),
    )
