"""What Python reads of the law tables: their hash, and the policies a run may set."""

import csv
from collections.abc import Iterable, Mapping

from komek.base import places
from komek.base.errors import UsageError
from komek.base.files import files_sha256


def _rows(table: str) -> list[dict[str, str]]:
    with (places.LAW_SEEDS / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parameter_names() -> list[str]:
    """Return the names of the figures of the law."""
    return sorted({row["name"] for row in _rows("parameters")})


def law_sha256() -> str:
    """Return the hash of the law tables."""
    return files_sha256(places.LAW_SEEDS.glob("*.csv"), places.LAW_SEEDS)


def policy_values() -> dict[str, list[str]]:
    """Return the values that each policy may have, in the table's order."""
    allowed: dict[str, list[str]] = {}
    for row in _rows("policy_values"):
        allowed.setdefault(row["policy"], []).append(row["value"])
    return allowed


def policy_overrides(assignments: Iterable[str]) -> dict[str, str]:
    """Read `NAME=VALUE` assignments and hold them against the policy table.

    Returns:
        Policy name to value, as set; an assignment of the table's own value stands too.

    Raises:
        UsageError: not an assignment, an unknown name, or a value not allowed.
    """
    allowed = policy_values()
    overrides: dict[str, str] = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise UsageError(f"--policy takes NAME=VALUE, not {assignment!r}")
        if name not in allowed:
            raise UsageError(f"unknown policy {name!r}: one of {', '.join(allowed)}")
        if value not in allowed[name]:
            values = ", ".join(allowed[name])
            raise UsageError(f"policy {name} cannot be {value!r}: one of {values}")
        if overrides.get(name, value) != value:
            raise UsageError(f"policy {name} is set twice, to different values")
        overrides[name] = value
    return overrides


def policies_of_run(overrides: Mapping[str, str]) -> dict[str, str]:
    """Return every policy with its value for a run, sorted by name."""
    table = {row["policy"]: row["value"] for row in _rows("policies")}
    return dict(sorted({**table, **overrides}.items()))


def deviates(overrides: Mapping[str, str]) -> bool:
    """Whether any policy is set to other than the policy table's value."""
    return policies_of_run(overrides) != policies_of_run({})
