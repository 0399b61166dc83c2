"""Receipts: what a run was computed from and what it gave.

`reports/<run_id>/receipt.json` says which bytes, code, law and policies a run was
computed from and what every mart held. It has nothing from the clock or the place: the
same run writes the same receipt. The chain (komek.trust.chain) holds its hash.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from komek.base.errors import KomekError
from komek.base.files import put, sha256, sha256_or_none
from komek.base.places import Home
from komek.landing.manifest import MANIFEST
from komek.landing.working_days import DAYS
from komek.publishing.packs import PACK_MANIFEST
from komek.publishing.publication import PACKS, STATE, WAREHOUSE, Publication
from komek.publishing.role_files import FOLDER
from komek.runs.inputs import Inputs
from komek.runs.run import Run
from komek.trust.chain import add_link, path_below, read_chain, receipt_path
from komek.trust.contents import contents_of

# What a receipt says of people who were asked whether to publish.
ANSWERS = ("approved_by", "kept_back")


def read_receipt(home: Home, run_id: str) -> dict[str, Any]:
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


def write_receipt(home: Home, run: Run, details: Mapping[str, Any]) -> dict[str, Any]:
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
        "inputs": run.inputs.as_json(),
        "publish_earlier": run.request.publish_earlier
        or _was_asked_before(home, run.run_id),
        **details,
        "tables": {
            name: asdict(found)
            for name, found in contents_of(home.run_file(run.run_id)).items()
        },
    }
    text = json.dumps(receipt, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    path = receipt_path(home, run.run_id)
    written = hashlib.sha256(text.encode()).hexdigest()
    recorded = read_chain(home).files.get(path_below(home, path), written)
    if recorded != written and not _was_only_asked(home, run.run_id, receipt):
        raise KomekError(
            f"run {run.run_id} gave other rows than its receipt says"
            + _difference(home, run.run_id, receipt)
        )
    if sha256_or_none(path) != written:
        put(path, text.encode())
    files = [path, home.run_file(run.run_id), *_rests_on(home, run.inputs)]
    add_link(home, run.run_id, {path_below(home, file): sha256(file) for file in files})
    return receipt


def _was_asked_before(home: Home, run_id: str) -> bool:
    """Say whether a receipt says so; one that is lost or damaged says nothing."""
    try:
        return bool(read_receipt(home, run_id).get("publish_earlier"))
    except KomekError:
        return False


def _was_only_asked(home: Home, run_id: str, receipt: Mapping[str, Any]) -> bool:
    """Say whether all that differs is what people asked for, or answered."""
    try:
        before = read_receipt(home, run_id)
    except KomekError:
        return False
    asked = {"publish_earlier": True}
    answered = {name: receipt[name] for name in ANSWERS if name in receipt}
    return before | asked | answered == dict(receipt) | asked


def said_first(home: Home, run_id: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details as a run's receipt has them already, else as they are given.

    What people answer when they are asked again stands in place of what they did.
    """
    if not receipt_path(home, run_id).exists():
        return dict(details)
    receipt = read_receipt(home, run_id)
    is_answered = any(details.get(name) for name in ANSWERS)
    return {
        name: value if is_answered and name in ANSWERS else receipt.get(name, value)
        for name, value in details.items()
    }


def seal(home: Home, publication: Publication) -> None:
    """Put a new publication in the chain: its files, its packs' manifests.

    A pack's manifest has the hashes of the pack's other files.
    """
    add_link(home, publication.run.run_id, _left_by(home, publication.folder))


def seal_if_missing(home: Home, publication: Publication) -> None:
    """Seal a publication that a crash kept from the chain; never seal one anew."""
    state = path_below(home, publication.folder / STATE)
    if state not in read_chain(home).files:
        seal(home, publication)


def _left_by(home: Home, folder: Path) -> dict[str, str]:
    files = [folder / STATE, folder / WAREHOUSE]
    files += sorted((folder / PACKS).glob(f"*/*/{PACK_MANIFEST}"))
    files += sorted((folder / FOLDER).glob("*.duckdb"))
    return {path_below(home, file): sha256(file) for file in files}


def _difference(home: Home, run_id: str, receipt: Mapping[str, Any]) -> str:
    """Name the tables in which a run differs from the receipt it left before."""
    try:
        before = read_receipt(home, run_id).get("tables", {})
    except KomekError:
        return ""
    after = receipt["tables"]
    names = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    return f" in {', '.join(names)}" if names else ""


def _rests_on(home: Home, inputs: Inputs) -> list[Path]:
    """Return the manifests of a run's inputs, and the calendar.

    A snapshot's manifest has the hashes of its landed files.
    """
    return [
        *(given.folder(home) / MANIFEST for given in inputs.all),
        inputs.calendar.folder(home) / DAYS,
    ]
