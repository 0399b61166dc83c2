"""What `komek status` tells beyond what is published: whether it may be believed."""

from typing import Any

from komek.base.places import Home
from komek.trust.audit import audit
from komek.trust.signatures import public_keys


def standing(home: Home) -> dict[str, Any]:
    """Return how the chain of receipts stands, ready for JSON; change nothing.

    Returns:
        `chain`: its head (number and hash), who signed it in a word or two, and what is
        wrong with it or with what it names; databases are not read for that.

    Raises:
        UsageError: KOMEK_VERIFY_KEY is no key.
    """
    found = audit(home, public_keys(), large_files=False)
    return {
        "chain": {
            "head": str(found.head) if found.head else None,
            "signed": found.signed,
            "findings": list(found.findings),
        },
    }


def standing_lines(state: dict[str, Any]) -> list[str]:
    """Return how the chain stands as lines for people."""
    chain = state["chain"]
    if chain["head"] is None and not chain["findings"]:
        return ["Chain of receipts: none"]
    ends = f"ends in {chain['head']}" if chain["head"] else "has no link"
    return [
        f"Chain of receipts: {chain['signed']}, {ends}",
        *(f"  {finding}" for finding in chain["findings"]),
    ]
