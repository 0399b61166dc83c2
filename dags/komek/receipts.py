"""Receipts: what a run was computed from and what it gave, in a chain of hashes.

A receipt holds the hash of the one before it, `reports/chain.json` that of the last:
a receipt that is edited or removed breaks the chain where it stood.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from komek.errors import KomekError
from komek.places import Home
from komek.runs import Run

# Read from the machine's clock, not from the inputs.
CLOCK = {"run": ("started_at", "finished_at")}
_NULL, _FIELD = "chr(1)", "chr(31)"


@dataclass(frozen=True)
class Content:
    """What a table holds, in whatever order: its rows, and the XOR of their hashes."""

    rows: int
    md5: str


def receipt_path(home: Home, run_id: str) -> Path:
    """Return where a run's receipt is."""
    return home.report(run_id) / "receipt.json"


def chain_path(home: Home) -> Path:
    """Return where the end of the chain is kept."""
    return home.reports / "chain.json"


def contents(run_file: Path) -> dict[str, Content]:
    """Return the content of every mart of a finished run, clock columns left out.

    Rows are hashed as text (MD5 of the columns, a null told from an empty text) and
    the hashes combined by XOR, so that the order of rows does not matter.
    """
    with duckdb.connect(run_file, read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list(column_name order by ordinal_position)"
            " from information_schema.columns join information_schema.tables"
            " using (table_schema, table_name)"
            " where table_schema = 'marts' and table_type = 'BASE TABLE'"
            " group by table_name order by table_name"
        ).fetchall()
        return {table: _content(connection, table, names) for table, names in tables}


def _content(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]
) -> Content:
    fields = ", ".join(
        f'coalesce(cast("{name}" as varchar), {_NULL})'
        for name in columns
        if name not in CLOCK.get(table, ())
    )
    rows, combined = connection.execute(
        f"select count(*), coalesce(bit_xor(md5_number(concat_ws({_FIELD}, {fields}))),"
        f' 0) from marts."{table}"'
    ).fetchone() or (0, 0)
    return Content(rows, f"{combined:032x}")


def read(home: Home, run_id: str) -> dict[str, Any]:
    """Return a run's receipt.

    Raises:
        KomekError: there is none, or it does not read as one.
    """
    path = receipt_path(home, run_id)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KomekError(f"run {run_id} has no receipt in {home.reports}") from None
    except ValueError:
        raise KomekError(f"the receipt {path} is damaged") from None


def write(home: Home, run: Run, details: dict[str, Any]) -> dict[str, Any]:
    """Write a finished run's receipt at the end of the chain.

    A run that has one already must have given the same again; then the first stands.

    Args:
        home: where the run is filed.
        run: the finished run.
        details: what else the receipt says, of checks and approval.

    Raises:
        KomekError: the same run gave other rows than before.
    """
    found = contents(home.run_file(run.run_id))
    tables = {
        name: {"rows": content.rows, "md5": content.md5}
        for name, content in found.items()
    }
    path = receipt_path(home, run.run_id)
    if path.exists():
        before = read(home, run.run_id)
        differing = sorted(
            name
            for name in {*tables, *before["tables"]}
            if tables.get(name) != before["tables"].get(name)
        )
        if differing:
            raise KomekError(
                f"run {run.run_id} gave other rows than its receipt says in "
                + ", ".join(differing)
            )
        return before
    end = _end(home)
    receipt = {
        "run_id": run.run_id,
        "sequence": end["sequence"] + 1 if end else 1,
        "previous": end and {"run_id": end["run_id"], "sha256": end["sha256"]},
        "as_of": run.request.as_of.isoformat(),
        "known_at": run.request.known_at.isoformat(),
        "policy_overrides": dict(run.request.policy_overrides),
        "policies": json.loads(run.policies),
        "override": run.request.override,
        "code_version": run.code_version,
        "law_sha256": run.law_sha256,
        "inputs": list(run.inputs),
        **details,
        "tables": tables,
    }
    text = json.dumps(receipt, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    _put(path, text)
    state = {
        "sequence": receipt["sequence"],
        "run_id": run.run_id,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    _put(chain_path(home), json.dumps(state, indent=2) + "\n")
    return receipt


def broken_links(home: Home) -> list[str]:
    """Walk the chain from its end; return what is wrong with it, in words.

    A receipt written just before a crash may stand one past the recorded end; it is
    taken up, for it holds the hash of the one that is recorded.
    """
    end = _end(home)
    receipts = {path.parent.name: path for path in home.reports.glob("*/receipt.json")}
    if end is None:
        return [f"receipt of {run_id} is in no chain" for run_id in sorted(receipts)]
    wrong, seen, expected = [], set(), end
    while expected:
        run_id = expected["run_id"]
        seen.add(run_id)
        path = receipts.get(run_id)
        if path is None:
            wrong.append(f"receipt of {run_id} is missing")
            break
        text = path.read_bytes()
        if hashlib.sha256(text).hexdigest() != expected["sha256"]:
            wrong.append(f"receipt of {run_id} is not the one the chain holds")
            break
        expected = json.loads(text)["previous"]
    if not wrong:
        wrong += [
            f"receipt of {run_id} is in no chain"
            for run_id in sorted({*receipts} - seen)
        ]
    return wrong


def _end(home: Home) -> dict[str, Any] | None:
    try:
        recorded = json.loads(chain_path(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        recorded = None
    except ValueError:
        raise KomekError(
            f"the chain of receipts {chain_path(home)} is damaged"
        ) from None
    return _taken_up(home, recorded)


def _taken_up(home: Home, recorded: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the end, or the receipt past it that a crash kept from being recorded."""
    previous = recorded and {name: recorded[name] for name in ("run_id", "sha256")}
    for path in sorted(home.reports.glob("*/receipt.json")):
        text = path.read_bytes()
        try:
            receipt = json.loads(text)
        except ValueError:
            continue
        sequence = recorded["sequence"] + 1 if recorded else 1
        if receipt["previous"] == previous and receipt["sequence"] == sequence:
            return {
                "sequence": sequence,
                "run_id": receipt["run_id"],
                "sha256": hashlib.sha256(text).hexdigest(),
            }
    return recorded


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
