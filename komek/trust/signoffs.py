"""Sign-offs: a region confirms a list, and that stays.

A list is named by its month and number, and held by the hash of who was listed where
and why, which no later list of the month changes. Sign-offs are appended and chained,
in `portal/signoffs.jsonl` of a home; a supplement needs its own.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from komek.base.errors import UsageError
from komek.base.places import Home
from komek.trust.ledger import Ledger


@dataclass(frozen=True)
class SignOff:
    """Who confirmed which list of a region, and when; `list_sha256` is the list's."""

    region_kato: str
    list_month: date
    list_no: int
    list_sha256: str
    who: str
    at: datetime


def ledger_of(home: Home) -> Ledger:
    """Return the ledger of a home's sign-offs."""
    return Ledger(home.root / "portal" / "signoffs.jsonl")


def sign_offs(home: Home, region_kato: str | None = None) -> list[SignOff]:
    """Return the sign-offs, of one region or of all, the oldest first."""
    found = []
    for entry in ledger_of(home).entries():
        said = {name: entry.said[name] for name in SignOff.__dataclass_fields__}
        said["list_month"] = date.fromisoformat(said["list_month"])
        said["at"] = datetime.fromisoformat(said["at"])
        one = SignOff(**said)
        if region_kato in (None, one.region_kato):
            found.append(one)
    return found


def sign_off_of(
    home: Home, region_kato: str, list_month: date, list_no: int, list_sha256: str
) -> SignOff | None:
    """Return who confirmed this very list, None where nobody did."""
    wanted = (list_month, list_no, list_sha256)
    return next(
        (
            one
            for one in sign_offs(home, region_kato)
            if (one.list_month, one.list_no, one.list_sha256) == wanted
        ),
        None,
    )


def confirm(
    home: Home,
    region_kato: str,
    list_month: date,
    list_no: int,
    list_sha256: str,
    who: str,
) -> SignOff:
    """Confirm a list.

    Raises:
        UsageError: this very list is confirmed already.
        UnwritableError: the ledger cannot be written.
    """
    if sign_off_of(home, region_kato, list_month, list_no, list_sha256):
        raise UsageError(f"list {list_no} of {list_month:%Y-%m} is confirmed already")
    now = datetime.now(UTC).replace(microsecond=0)
    one = SignOff(region_kato, list_month, list_no, list_sha256, who, now)
    said = asdict(one) | {"list_month": list_month.isoformat(), "at": now.isoformat()}
    ledger_of(home).append(said)
    return one
