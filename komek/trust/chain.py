"""The chain of receipts: a line, a link, for every run filed and every publication.

`reports/chain.jsonl` has the hash of each file that a run or publication left or rests
on, and the hash of the link before. A file or a link that is edited or removed fits no
more. The last link that names a file says what it holds: a run that is computed again
leaves another file (DuckDB lays the same rows out differently) and a link of its own,
and breaks nothing.

Where there is a key to sign with, a link is signed: its signature is of its hash, which
covers all files it names and the links before it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from komek.base.files import put, sha256_or_none
from komek.base.places import Home
from komek.publishing.publication import STATE, ChainHead
from komek.trust.signatures import sign

# What the chain has in place of a hash once retention has taken a run's file.
RETIRED = "retired"
_RECEIPT = "receipt.json"


@dataclass(frozen=True)
class Link:
    """A line of the chain.

    `files` maps paths below the home to SHA-256; `previous` is the hash of the link
    before, None in the first. `signed_by` names the key of the signature, in Base64;
    both are None where the link is unsigned.
    """

    sequence: int
    previous: str | None
    run_id: str
    files: Mapping[str, str]
    signed_by: str | None = None
    signature: str | None = None

    @property
    def sha256(self) -> str:
        """The hash of what the link says; a signature is of it, and no part of it."""
        said = asdict(self)
        del said["signed_by"], said["signature"]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def head(self) -> ChainHead:
        """The link as the chain's head."""
        return ChainHead(self.sequence, self.sha256)

    @property
    def line(self) -> bytes:
        """The link as it stands in the chain."""
        said = {**asdict(self), "sha256": self.sha256}
        if self.signature is None:
            del said["signed_by"], said["signature"]
        return json.dumps(said, sort_keys=True).encode()


@dataclass(frozen=True)
class Chain:
    """The chain as read: the links that hold, and what is wrong with it, in words."""

    links: tuple[Link, ...]
    wrong: tuple[str, ...]

    @property
    def head(self) -> ChainHead | None:
        """What the chain ends in, None where it has no link."""
        return self.links[-1].head if self.links else None

    @property
    def files(self) -> dict[str, str]:
        """What every file in the chain holds by the last link that names it."""
        return {path: sha for link in self.links for path, sha in link.files.items()}

    def filed(self, home: Home, run_id: str) -> Link | None:
        """Return the link of the last time a run was filed."""
        named = {
            path_below(home, path)
            for path in (receipt_path(home, run_id), home.run_file(run_id))
        }
        links = [link for link in self.links if named <= link.files.keys()]
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


def receipt_paths(home: Home) -> dict[str, Path]:
    """Return every receipt that is there, by run."""
    found = sorted(home.reports.glob(f"*/{_RECEIPT}"))
    return {path.parent.name: path for path in found}


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
        found = sha256_or_none(home.root / path)
        if found is None:
            wrong.append(f"{path} is missing")
        elif found != sha:
            wrong.append(f"{path} is not the receipt that the chain holds")
    wrong += [
        f"{path_below(home, path)} is in no chain"
        for path in receipt_paths(home).values()
        if path_below(home, path) not in recorded
    ]
    return wrong


def _link(line: bytes) -> Link | None:
    """Return the link that a line holds, None if not a byte for byte."""
    try:
        said = json.loads(line)
        del said["sha256"]
        link = Link(**said)
        is_signed = {type(link.signed_by), type(link.signature)} == {str}
        is_whole = link.line == line and (is_signed or link.signature is None)
        return link if is_whole else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def add_link(home: Home, run_id: str, files: Mapping[str, str]) -> None:
    """Add a link, unless the chain holds these very files of these very bytes.

    Raises:
        UsageError: KOMEK_SIGNING_KEY is no key.
    """
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
    if signed := sign(link.sha256):
        link = replace(link, signed_by=signed[0], signature=signed[1])
    put(path, before + link.line + b"\n")


def path_below(home: Home, path: Path) -> str:
    """Return a path as the chain names it: below the home."""
    return path.relative_to(home.root).as_posix()
