"""What `komek status` tells beyond what is published: whether it may be believed."""

from typing import Any

from komek.base.places import Home
from komek.base.scratch import being_built, left_behind, shown
from komek.trust.audit import audit
from komek.trust.signatures import public_keys


def standing(home: Home) -> dict[str, Any]:
    """Return how the chain of receipts stands, ready for JSON; change nothing.

    Returns:
        `chain`: its head (number and hash), who signed it in a word or two, and what is
        wrong with it or with what it names; databases are not read for that.
        `being_built`: the runs that are; `left_behind`: folders below the home that
        killed processes left.

    Raises:
        UsageError: KOMEK_VERIFY_KEY is no key.
    """
    found = audit(home, public_keys(), large_files=False)
    return {
        "chain": {
            "head": str(found.head) if found.head else None,
            "signed": found.signed,
            "findings": found.findings,
        },
        "being_built": being_built(home),
        "left_behind": [shown(home, folder) for folder in left_behind(home)],
    }


def standing_lines(state: dict[str, Any]) -> list[str]:
    """Return how the chain stands, and what lies about, as lines for people."""
    chain = state["chain"]
    lines = [
        f"Chain of receipts: {chain['signed']}, ends in {chain['head']}"
        if chain["head"]
        else "Chain of receipts: none",
        *(f"  {finding}" for finding in chain["findings"]),
    ]
    lines += [f"Being built: run {run_id}" for run_id in state["being_built"]]
    lines += [
        f"Left behind by a killed process, deleted by the next that writes: {folder}"
        for folder in state["left_behind"]
    ]
    return lines
