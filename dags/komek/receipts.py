"""Receipts: what a run was computed from and what it gave, in a chain of hashes.

`reports/<run_id>/receipt.json` says which bytes, code, law and policies a run was
computed from and what every mart held. It has nothing from the clock or the place: the
same run writes the same receipt.

`reports/chain.jsonl` has a line, a link, for every run filed and every publication: the
hash of each file that it left or rests on, and the hash of the link before. A file or a
link that is edited or removed fits no more. The last link that names a file says what
it holds: a run that is computed again leaves another file (DuckDB lays the same rows
out differently) and a link of its own, and breaks nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from komek import database, landing, working_days
from komek.errors import KomekError
from komek.files import put
from komek.landing import Snapshot
from komek.packs import MANIFEST, digest
from komek.places import Home
from komek.publish import PACKS, STATE, WAREHOUSE, Publication
from komek.runs import Run

# Read from the machine's clock, not from the inputs.
CLOCK = {"run": ("started_at", "finished_at")}
MARTS = ("marts",)
CALENDAR = "working_days"
_RECEIPT = "receipt.json"
_HALF = 2**64


@dataclass(frozen=True)
class Content:
    """What a table holds, in whatever order: its number of rows, and one hash."""

    rows: int
    md5: str


@dataclass(frozen=True)
class Link:
    """A line of the chain.

    `files` maps paths below the home to SHA-256; `previous` is the hash of the link
    before, None in the first.
    """

    sequence: int
    previous: str | None
    run_id: str
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The hash of what the link says."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def line(self) -> bytes:
        """The link as it stands in the chain."""
        said = {**asdict(self), "sha256": self.sha256}
        return json.dumps(said, sort_keys=True).encode()


@dataclass(frozen=True)
class Chain:
    """The chain as read: the links that hold, and what is wrong with it, in words."""

    links: tuple[Link, ...]
    wrong: tuple[str, ...]

    @property
    def files(self) -> dict[str, str]:
        """What every file in the chain holds by the last link that names it."""
        return {path: sha for link in self.links for path, sha in link.files.items()}

    def filed(self, home: Home, run_id: str) -> Link | None:
        """Return the link of the last time a run was filed."""
        named = _below(home, receipt_path(home, run_id))
        links = [link for link in self.links if named in link.files]
        return links[-1] if links else None

    def published(self, run_id: str) -> list[Link]:
        """Return the links of a run's publications."""
        return [
            link
            for link in self.links
            if link.run_id == run_id
            and any(path.endswith(f"/{STATE}") for path in link.files)
        ]


def receipt_path(home: Home, run_id: str) -> Path:
    """Return where a run's receipt is."""
    return home.report(run_id) / _RECEIPT


def chain_path(home: Home) -> Path:
    """Return where the chain is."""
    return home.reports / "chain.jsonl"


def receipts(home: Home) -> dict[str, Path]:
    """Return every receipt that is there, by run."""
    found = sorted(home.reports.glob(f"*/{_RECEIPT}"))
    return {path.parent.name: path for path in found}


def sha256(path: Path) -> str | None:
    """Return the hash of a file's bytes, None where it cannot be read."""
    try:
        return digest(path)
    except OSError:
        return None


# What tables hold


def tables(
    run_file: Path, schemas: Sequence[str] = MARTS
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return the tables of a run's file: schema and name to columns and their types.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    with database.connect(run_file, read_only=True) as connection:
        found = connection.execute(
            "select table_schema, table_name,"
            " list((column_name, data_type) order by ordinal_position)"
            " from information_schema.columns join information_schema.tables"
            " using (table_schema, table_name)"
            " where list_contains(?, table_schema) and table_type = 'BASE TABLE'"
            " group by all order by all",
            [list(schemas)],
        ).fetchall()
    return {(schema, table): columns for schema, table, columns in found}


def content(
    run_file: Path, schema: str, table: str, columns: Sequence[tuple[str, str]]
) -> Content:
    """Return the content of a table, clock columns left out.

    A row's hash is the MD5 of its values as text, each with its length before it (so
    that no text passes for two); the hashes are added up, in two halves, so that the
    order of rows does not matter and the same row twice does. The names and types of
    the columns are added as one row more.

    Raises:
        duckdb.Error: the table cannot be read.
    """
    kept = [(name, kind) for name, kind in columns if name not in CLOCK.get(table, ())]
    # Null is `-`, for what concat() is given of it is nothing.
    row = ", ".join(
        f"length({text}), case when {text} is null then '-' else ':' end, {text}"
        for text in (f'cast("{name}" as varchar)' for name, _ in kept)
    )
    with database.connect(run_file, read_only=True) as connection:
        rows, upper, lower = connection.execute(
            "select count(*),"
            f" coalesce(sum((number & {_HALF - 1}::uhugeint)::ubigint), 0),"
            " coalesce(sum((number >> 64)::ubigint), 0)"
            f" from (select md5_number(concat({row})) as number"
            f' from "{schema}"."{table}")'
        ).fetchone() or (0, 0, 0)
    head = hashlib.md5(json.dumps(kept).encode(), usedforsecurity=False).digest()
    upper += int.from_bytes(head[:8])
    lower += int.from_bytes(head[8:])
    return Content(rows, f"{upper % _HALF:016x}{lower % _HALF:016x}")


def contents(run_file: Path) -> dict[str, Content]:
    """Return the content of every mart of a finished run.

    Raises:
        duckdb.Error: the file cannot be read.
    """
    return {
        table: content(run_file, schema, table, columns)
        for (schema, table), columns in tables(run_file).items()
    }


# Writing receipts and links


def read(home: Home, run_id: str) -> dict[str, Any]:
    """Return a run's receipt.

    Raises:
        KomekError: there is none, or it does not read as one.
    """
    path = receipt_path(home, run_id)
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KomekError(f"run {run_id} has no receipt in {home.reports}") from None
    except (OSError, ValueError):
        raise KomekError(f"the receipt {path} is damaged") from None
    if not isinstance(receipt, dict):
        raise KomekError(f"the receipt {path} is damaged")
    return receipt


def write(home: Home, run: Run, details: Mapping[str, Any]) -> dict[str, Any]:
    """Write a finished run's receipt, and the run at the end of the chain.

    A run that is in the chain already must have given the same again; a receipt that
    was lost is restored then.

    Args:
        home: where the run is filed.
        run: the finished run.
        details: what else the receipt says, of checks and approval.

    Raises:
        KomekError: the same run gave other rows than before.
    """
    receipt = {
        "run_id": run.run_id,
        "as_of": run.request.as_of.isoformat(),
        "known_at": run.request.known_at.isoformat(),
        "policy_overrides": dict(run.request.policy_overrides),
        "policies": json.loads(run.policies),
        "override": run.request.override,
        "code_version": run.code_version,
        "law_sha256": run.law_sha256,
        "inputs": list(run.inputs),
        **details,
        "tables": {
            name: asdict(found)
            for name, found in contents(home.run_file(run.run_id)).items()
        },
    }
    text = json.dumps(receipt, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    path = receipt_path(home, run.run_id)
    written = hashlib.sha256(text.encode()).hexdigest()
    recorded = read_chain(home).files.get(_below(home, path), written)
    if recorded != written:
        raise KomekError(
            f"run {run.run_id} gave other rows than its receipt says"
            + _difference(home, run.run_id, receipt)
        )
    if sha256(path) != written:
        put(path, text.encode())
    files = [path, home.run_file(run.run_id), *_rests_on(home, run.inputs)]
    _add_link(home, run.run_id, {_below(home, file): digest(file) for file in files})
    return receipt


def said_first(home: Home, run_id: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details as a run's receipt has them already, else as they are given."""
    if not receipt_path(home, run_id).exists():
        return dict(details)
    receipt = read(home, run_id)
    return {name: receipt.get(name, value) for name, value in details.items()}


def seal(home: Home, publication: Publication) -> None:
    """Put a new publication at the end of the chain: its file, its packs' manifests.

    A pack's manifest has the hashes of the pack's other files.
    """
    _add_link(home, publication.run.run_id, _left_by(home, publication.folder))


def seal_if_missing(home: Home, publication: Publication) -> None:
    """Seal a publication that a crash kept from the chain; never seal one anew."""
    state = _below(home, publication.folder / STATE)
    if state not in read_chain(home).files:
        seal(home, publication)


def _left_by(home: Home, folder: Path) -> dict[str, str]:
    files = [folder / STATE, folder / WAREHOUSE]
    files += sorted((folder / PACKS).glob(f"*/*/{MANIFEST}"))
    return {_below(home, file): digest(file) for file in files}


def _difference(home: Home, run_id: str, receipt: Mapping[str, Any]) -> str:
    """Name the tables in which a run differs from the receipt it left before."""
    try:
        before = read(home, run_id).get("tables", {})
    except KomekError:
        return ""
    after = receipt["tables"]
    names = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    return f" in {', '.join(names)}" if names else ""


# What a run rests on


def snapshot(home: Home, recorded: Mapping[str, Any]) -> Snapshot:
    """Return the landed snapshot of an input, a registry's.

    Raises:
        StoppedError: it is not there, or its manifest cannot be read.
    """
    day = date.fromisoformat(recorded["snapshot_date"])
    return landing.revision_of(home, recorded["entity"], day, recorded["revision"])


def folder(home: Home, recorded: Mapping[str, Any]) -> Path:
    """Return where an input, a snapshot or the calendar, has landed."""
    if recorded["entity"] == CALENDAR:
        return working_days.calendar_folder(home, recorded["version"])
    return landing.revision_folder(
        home,
        recorded["entity"],
        date.fromisoformat(recorded["snapshot_date"]),
        recorded["revision"],
    )


def _rests_on(home: Home, inputs: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Return the manifests of a run's inputs, and the calendar.

    A snapshot's manifest has the hashes of its landed files.
    """
    folders = [folder(home, recorded) for recorded in inputs]
    return [
        *(each / landing.MANIFEST for each in folders),
        *(each / working_days.DAYS for each in folders if each.parent.name == CALENDAR),
    ]


# The chain


def read_chain(home: Home) -> Chain:
    """Read the chain; a link that does not hold is left out, and said."""
    try:
        lines = chain_path(home).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Chain((), ())
    links: list[Link] = []
    wrong: list[str] = []
    if lines[-1]:
        wrong.append("the chain of receipts is cut off at its end")
    else:
        lines.pop()
    expected, before = 1, None
    for number, line in enumerate(lines, 1):
        link = _link(line)
        if link is None:
            wrong.append(f"link {number} of the chain of receipts was edited")
            before = None
        else:
            if link.sequence != expected or (before and link.previous != before.sha256):
                wrong.append(
                    f"links of the chain of receipts are missing before its line"
                    f" {number}"
                )
            links.append(link)
            before, expected = link, link.sequence
        expected += 1
    return Chain(tuple(links), tuple(wrong))


def broken_links(home: Home) -> list[str]:
    """Return what is wrong with the chain and the receipts in it, in words."""
    chain = read_chain(home)
    wrong = list(chain.wrong)
    recorded = {
        path: sha for path, sha in chain.files.items() if path.endswith(f"/{_RECEIPT}")
    }
    for path, sha in sorted(recorded.items()):
        found = sha256(home.root / path)
        if found is None:
            wrong.append(f"{path} is missing")
        elif found != sha:
            wrong.append(f"{path} is not the receipt that the chain holds")
    wrong += [
        f"{_below(home, path)} is in no chain"
        for path in receipts(home).values()
        if _below(home, path) not in recorded
    ]
    return wrong


def _link(line: bytes) -> Link | None:
    """Return the link that a line holds, None if not a byte for byte."""
    try:
        said = json.loads(line)
        del said["sha256"]
        link = Link(**said)
        return link if link.line == line else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _add_link(home: Home, run_id: str, files: Mapping[str, str]) -> None:
    """Add a link, unless the chain holds these very files of these very bytes."""
    chain = read_chain(home)
    if files.items() <= chain.files.items():
        return
    path = chain_path(home)
    before = path.read_bytes() if path.exists() else b""
    if before and not before.endswith(b"\n"):
        # Its end was cut off: what stands there stays for all to see.
        before += b"\n"
    link = Link(
        sequence=before.count(b"\n") + 1,
        previous=chain.links[-1].sha256 if chain.links else None,
        run_id=run_id,
        files=files,
    )
    put(path, before + link.line + b"\n")


def _below(home: Home, path: Path) -> str:
    return path.relative_to(home.root).as_posix()
