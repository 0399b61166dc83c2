"""The short code on a paper, and the publication it leads back to.

The code is made of the publication's name alone. A publication that has been replaced
long since is found by the chain of receipts, which names every one.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

from komek.base.errors import UsageError
from komek.base.places import Home
from komek.publishing.publication import STATE, current_publication, stated
from komek.trust.chain import path_below, read_chain

# Crockford's digits: none is taken for another, whoever reads it aloud or types it.
_DIGITS = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)
_MISREAD = str.maketrans("OIL", "011")
_BYTES = 8
_LENGTH = 12
_FORM = re.compile(r"[0-9A-Z]{4}([- ]?)[0-9A-Z]{4}\1[0-9A-Z]{4}")


@dataclass(frozen=True)
class Origin:
    """The publication that a code leads to; the days are None where it is swept."""

    code: str
    publication: str
    run_id: str
    is_current: bool
    as_of: str | None
    official: bool | None


def code_of(publication_name: str) -> str:
    """Return the code of a publication, three groups of four."""
    digest = hashlib.sha256(f"komek publication {publication_name}".encode()).digest()
    text = base64.b32encode(digest[:_BYTES]).decode().translate(_DIGITS)[:_LENGTH]
    return "-".join(text[start : start + 4] for start in range(0, _LENGTH, 4))


def is_code(text: str) -> bool:
    """Say whether a text has the form of a code; no run's id has."""
    return _FORM.fullmatch(text.strip().upper()) is not None


def resolve(home: Home, code: str) -> Origin:
    """Return what publication a code stands for.

    Raises:
        UsageError: no publication of this home has it.
        KomekError: what is published cannot be read.
    """
    wanted = re.sub(r"[- ]", "", code.strip().upper()).translate(_MISREAD)
    for name in sorted(_names(home), reverse=True):
        own = code_of(name)
        if own.replace("-", "") == wanted:
            current = current_publication(home)
            found = stated(home, name)
            return Origin(
                code=own,
                publication=name,
                run_id=name.partition("-")[2],
                is_current=current is not None and current.name == name,
                as_of=found.run.as_of.isoformat() if found else None,
                official=found.official if found else None,
            )
    raise UsageError(f"no publication in {home.root} has the code {code!r}")


def origin_lines(origin: Origin) -> list[str]:
    """Return what a code leads to, as lines for people."""
    standing = "holds now" if origin.is_current else "has been replaced"
    lines = [f"{origin.code}: publication {origin.publication}, which {standing}"]
    if origin.as_of is not None:
        official = "official" if origin.official else "not official"
        lines.append(f"run {origin.run_id} of {origin.as_of}, {official}")
    lines.append(f"what it rests on: komek verify {origin.run_id}")
    return lines


def _names(home: Home) -> set[str]:
    """Return the publications that are there, and those the chain knows of."""
    below = path_below(home, home.publications)
    chained = {
        path.split("/")[-2]
        for path in read_chain(home).files
        if path.startswith(f"{below}/") and path.endswith(f"/{STATE}")
    }
    there = {path.parent.name for path in home.publications.glob(f"*/{STATE}")}
    return chained | there
