"""`komek verify`: whether a run is what its receipt says, and would be so again.

First what is there is held against the hashes that the chain of receipts has of it: the
inputs, the run's file, its publications and packs; and every mart in the file against
the receipt. Where public keys are known, what the chain has of the run must be in links
signed with one. Then the run is computed again in a scratch home, from the very inputs
of its receipt, and every mart compared once more. The checks at the door are not
repeated: they judge the inputs, and what they let pass stands in the receipt.

A finding names a file or table and counts rows; it never quotes one. A note says what
is no difference: that the chain is unsigned, or that the run is of other code.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database, policies
from komek.base.errors import KomekError, UnwritableError, UsageError
from komek.base.files import sha256_or_none
from komek.base.places import Home
from komek.base.say import Say
from komek.checks import blocking
from komek.landing.manifest import MANIFEST
from komek.landing.snapshots import verify_snapshot
from komek.publishing.packs import PACK_MANIFEST
from komek.runs import rerun
from komek.runs.filed import put_away
from komek.runs.inputs import inputs_from_json
from komek.runs.run import note_overridden
from komek.runs.version import code_version
from komek.trust.audit import (
    SIGNED,
    changed,
    loose_anchors,
    publication_folders,
    said,
    signature_complaints,
    signed,
    unsealed,
    unsigned_files,
)
from komek.trust.chain import (
    RETIRED,
    Chain,
    Link,
    broken_links,
    path_below,
    read_chain,
    receipt_path,
    receipt_paths,
)
from komek.trust.contents import (
    Content,
    contents_of,
    name_of,
    readable_contents,
    relation_of,
    tables_of,
    views_of,
)
from komek.trust.receipts import read_receipt
from komek.trust.signatures import PublicKeys, public_keys

# Compared, beyond the marts, where the bytes of the run's file are not those filed.
_WITHIN = ("law", "facts", "marts")
# They name the code and the law tables: under others they differ, and that is said.
_IDENTITY = ("run", "run_context")


@dataclass(frozen=True)
class Verified:
    """What is not what it was, a line each, and what else is to be known."""

    findings: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Checked:
    """What was found of what is there, and the receipt if it is the one filed.

    `obstacle` says why the run cannot be computed again, None if it can.
    """

    findings: list[str]
    notes: list[str]
    receipt: dict[str, Any] | None
    obstacle: str | None


def verify(
    home: Home, run_id: str, say: Say = print, public_key: Path | None = None
) -> Verified:
    """Check a run against its receipt and compute it again; change nothing.

    Args:
        home: where the run is filed.
        run_id: which.
        say: takes one line per part of the work, for people.
        public_key: a PEM file of the keys that links may be signed with; None: those
            of the environment.

    Raises:
        UsageError: there is no such run, KOMEK_KEY does not open its file, or a key is
            none.
    """
    say("compare what is there with the chain of receipts ...")
    checked = check(home, run_id, public_keys(public_key))
    if checked.receipt is None or checked.obstacle:
        not_computed = f"not computed again: {checked.obstacle}"
        return Verified([*checked.findings, not_computed], checked.notes)
    say("compute the run again ...")
    again = _recomputed(home, checked.receipt, intact=not checked.findings)
    return Verified(
        [*checked.findings, *again],
        [*_other_code(checked.receipt, equal=not again), *checked.notes],
    )


def check(home: Home, run_id: str, keys: PublicKeys | None = None) -> Checked:
    """Check a run against the chain and its receipt, without computing it again.

    Args:
        home: where the run is filed.
        run_id: which.
        keys: those that links may be signed with; without any, they may be unsigned.

    Raises:
        UsageError: there is no such run, or KOMEK_KEY does not open its file.
    """
    keys = keys or {}
    chain = read_chain(home)
    there = {*receipt_paths(home), *home.run_ids()}
    if run_id not in {*there, *(link.run_id for link in chain.links)}:
        raise UsageError(f"there is no run {run_id} in {home.root}")
    found = [
        *broken_links(home),
        *unsealed(home, chain),
        *loose_anchors(home, chain),
    ]
    notes = signature_complaints(chain, keys)
    if (word := signed(chain, keys)) != SIGNED:
        notes.insert(0, word)
    link = chain.filed(home, run_id)
    if link is None:
        found.append(f"run {run_id} is in no chain")
        return Checked(found, notes, None, "nothing says what the run was")
    found += unsigned_files(chain, run_id, keys)
    is_retired = chain.files[path_below(home, home.run_file(run_id))] == RETIRED
    if is_retired:
        notes.append("its file was retired; its receipt and its inputs are there")
    changed_file = [] if is_retired else [*_run_file(home, link)]
    found += [*changed_file, *_publications(home, run_id, chain)]
    path = receipt_path(home, run_id)
    if sha256_or_none(path) != link.files[path_below(home, path)]:
        why = "its receipt is not the one that was filed"
        return Checked(found, notes, None, why)
    receipt = read_receipt(home, run_id)
    found += _tables(home.run_file(run_id), receipt, intact=not changed_file)
    changed_inputs = list(_inputs(home, link, receipt))
    obstacle = "its inputs are not what they were" if changed_inputs else None
    return Checked([*changed_inputs, *found], notes, receipt, obstacle)


def _other_code(receipt: Mapping[str, Any], *, equal: bool = False) -> list[str]:
    """Say where the run was computed by other code or law tables than today's."""
    then = "every table is equal" if equal else "compared all the same"
    return [
        f"computed by {what}: {receipt[name]}, now {now}; {then}"
        for what, name, now in (
            ("other code", "code_version", code_version()),
            ("other law tables", "law_sha256", policies.law_sha256()),
        )
        if receipt[name] != now
    ]


# What is there, against the hashes of it


def _inputs(home: Home, link: Link, receipt: Mapping[str, Any]) -> Iterator[str]:
    """Say which landed files, manifests and calendar are not what they were."""
    below = f"{path_below(home, home.landing)}/"
    altered = changed(
        home, {path: sha for path, sha in link.files.items() if path.startswith(below)}
    )
    yield from (said(home, path) for path in altered)
    for given in inputs_from_json(receipt["inputs"]).snapshots:
        place = given.folder(home)
        if path_below(home, place / MANIFEST) not in altered:
            for name in verify_snapshot(given.landed(home)):
                yield said(home, path_below(home, place / name))


def _run_file(home: Home, link: Link) -> Iterator[str]:
    """Say whether the bytes of the run's file are those filed."""
    path = path_below(home, home.run_file(link.run_id))
    for altered in changed(home, {path: link.files[path]}):
        yield said(home, altered)
    if (home.root / f"{path}.wal").exists():
        yield f"{path}.wal is there: the file was written to after the run"


def _tables(
    run_file: Path, receipt: Mapping[str, Any], *, intact: bool
) -> Iterator[str]:
    """Say which marts of the run's file are not what the receipt says.

    One that is `intact` and cannot be opened is under another key.
    """
    if not run_file.exists():
        return
    try:
        found = tables_of(run_file)
    except (duckdb.Error, UsageError) as error:
        if intact and isinstance(error, UsageError):
            raise
        yield f"{run_file.name} cannot be read as a database"
        return
    named = {name_of(*table) for table in found}
    yield from (
        f"{relation_of(name)} is not in {run_file.name}"
        for name in sorted({*receipt["tables"]} - named)
    )
    for (schema, table), content in readable_contents(run_file, found):
        if content is None:
            yield f"{schema}.{table} cannot be read from {run_file.name}"
            continue
        name = name_of(schema, table)
        yield from _compared(
            name, content, receipt["tables"].get(name), f"{run_file.name} has"
        )


def _compared(
    name: str, content: Content, recorded: Mapping[str, Any] | None, has: str
) -> Iterator[str]:
    table = relation_of(name)
    if recorded is None:
        yield f"{table}: {has} it, the receipt does not"
    elif content.rows != recorded["rows"]:
        yield f"{table}: {has} {content.rows} rows, the receipt {recorded['rows']}"
    elif content.md5 != recorded["md5"]:
        yield f"{table}: {has} other values than the receipt"


def _publications(home: Home, run_id: str, chain: Chain) -> Iterator[str]:
    """Say what of the run's publications and packs is not what it was.

    A publication that is gone has been replaced twice; its packs may live on in a later
    one, under the same manifests.
    """
    sealed = [link.files for link in chain.published(run_id)]
    ours = {sha for files in sealed for sha in files.values()}
    for folder in publication_folders(home):
        below = f"{path_below(home, folder)}/"
        is_ours = folder.name.partition("-")[2] == run_id
        named = {
            path: sha
            for path, sha in chain.files.items()
            if path.startswith(below) and (is_ours or sha in ours)
        }
        altered = changed(home, named)
        yield from (said(home, path) for path in altered)
        for path in sorted({*named} - {*altered}):
            if path.endswith(f"/{PACK_MANIFEST}"):
                yield from _pack(home, (home.root / path).parent)


def _pack(home: Home, pack: Path) -> Iterator[str]:
    """Say which files of a pack are not what its manifest says."""
    manifest = json.loads((pack / PACK_MANIFEST).read_text(encoding="utf-8"))
    files = {
        path_below(home, pack / name): file["sha256"]
        for name, file in manifest["files"].items()
    }
    yield from (said(home, path) for path in changed(home, files))


# What the run gives when it is computed again


def _recomputed(home: Home, receipt: Mapping[str, Any], *, intact: bool) -> list[str]:
    """Compute the run again; say where it gives other rows.

    `intact`: what is there was found to be what it was.
    """
    run_id = receipt["run_id"]
    with rerun.scratch_home(home, f"verify-{run_id}") as scratch:
        try:
            run = rerun.build_again(
                scratch,
                rerun.request_of(receipt),
                inputs_from_json(receipt["inputs"]),
            )
            note_overridden(run, receipt["overridden_checks"].split("|"))
            outcome = blocking.check_and_settle(run, scratch.report(run.run_id))
            outcome.raise_if_stopped()
            put_away(run.file)
        except UnwritableError:
            raise
        except KomekError as error:
            return [f"the run cannot be computed again: {error}"]
        left_out = set(_IDENTITY) if _other_code(receipt) else set()
        again = contents_of(run.file)
        found = [
            finding
            for name in sorted({*receipt["tables"], *again} - left_out)
            for finding in (
                _compared(
                    name,
                    again[name],
                    receipt["tables"].get(name),
                    "computed again it has",
                )
                if name in again
                else [f"{relation_of(name)} is not computed any more"]
            )
        ]
        if not left_out:
            found += _views(home.run_file(run_id), run.file)
        if intact and not found:
            return []
        return found + _within(home.run_file(run_id), run.file, left_out)


def _views(filed: Path, again: Path) -> list[str]:
    """Name the views of the run's file that are not those of the computed one.

    Under the same code: a table's content is in the receipt, that of a view follows
    from its SQL.
    """
    try:
        there, computed = (views_of(file, _WITHIN) for file in (filed, again))
    except (duckdb.Error, OSError, UsageError):
        return []
    return [
        f"{view}: {filed.name} has another view than is computed again"
        for view in sorted({*there, *computed})
        if there.get(view) != computed.get(view)
    ]


def _within(filed: Path, again: Path, left_out: set[str]) -> list[str]:
    """Name the tables of the run's file that differ from the computed ones, by rows.

    Tables whose rows cannot be read are named by the comparison with the receipt.
    """
    try:
        there = tables_of(filed, _WITHIN)
    except (duckdb.Error, OSError, UsageError):
        return []
    found = []
    same = {
        table: columns
        for table, columns in tables_of(again, _WITHIN).items()
        if table[1] not in left_out and there.get(table) == columns
    }
    computed = dict(readable_contents(again, same))
    for (schema, table), content in readable_contents(filed, same):
        if content is None:
            found.append(f"{schema}.{table} cannot be read from {filed.name}")
        elif content != computed[schema, table]:
            found.append(_rows_apart(filed, again, f"{schema}.{table}"))
    return found


def _rows_apart(filed: Path, again: Path, table: str) -> str:
    """Count the rows that only one of two files has in a table."""
    with database.connect(spill=database.spill_beside(again)) as connection:
        database.attach(connection, filed, "filed")
        database.attach(connection, again, "again")
        counts = [
            connection.execute(
                f"select count(*) from (from {one}.{table}"
                f" except all from {other}.{table})"
            ).fetchone()
            for one, other in (("filed", "again"), ("again", "filed"))
        ]
    only_filed, only_again = (count[0] if count else 0 for count in counts)
    return (
        f"{table}: {only_filed} rows of {filed.name} are not computed again,"
        f" {only_again} computed ones are not in it"
    )
