"""The whole chain of receipts: its links, their signatures, the files, the anchors.

An anchor is the head of the chain as something outside it names it: the packs, a
publication, or a copy that somebody kept. A chain that was cut, or rebuilt, has no link
of that number and hash any more. What nothing outside names can be cut unseen.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from komek.base.files import sha256_or_none
from komek.base.places import Home
from komek.publishing.packs import PACK_MANIFEST
from komek.publishing.publication import PACKS, STATE, ChainHead, chain_head_of
from komek.trust.chain import RETIRED, Chain, Link, broken_links, path_below, read_chain
from komek.trust.signatures import PublicKeys, is_signed

UNSIGNED = "unsigned"
SIGNED = "signed"
# Of a database there is more than a look takes.
_LARGE = (".duckdb",)


@dataclass(frozen=True)
class Audit:
    """What was found of a chain, in words.

    `findings` are what is wrong; `signed` says in a word or two whether it is signed;
    `head` is what it ends in, None where there is no link.
    """

    findings: list[str]
    signed: str
    head: ChainHead | None

    @property
    def notes(self) -> list[str]:
        """What is to be known and is not wrong."""
        return [] if self.signed == SIGNED else [self.signed]


def audit(
    home: Home,
    keys: PublicKeys,
    heads: Iterable[ChainHead] = (),
    *,
    large_files: bool = True,
) -> Audit:
    """Check a home's chain; change nothing.

    Args:
        home: whose chain.
        keys: the keys its links may be signed with. Where there are none, a chain may
            be unsigned, and signatures are only held against each other.
        heads: heads of the chain that somebody kept a copy of.
        large_files: hash the databases too; all else always is.
    """
    chain = read_chain(home)
    findings = [
        *broken_links(home),
        *_signature_findings(chain, keys),
        *_files(home, chain, large_files=large_files),
        *unsealed(home, chain),
        *loose_anchors(home, chain),
        *(
            f"the chain of receipts has no link {head}"
            for head in heads
            if not _holds(chain, head)
        ),
    ]
    return Audit(findings, signed(chain, keys), chain.head)


# Signatures


def signed(chain: Chain, keys: PublicKeys) -> str:
    """Say in a word or two whether a chain is signed."""
    of_links = {link.signed_by is not None for link in chain.links}
    if True not in of_links:
        return UNSIGNED
    if False in of_links:
        return "signed in part"
    if not keys:
        return "signed, not checked: no public key is known"
    verdicts = {_verdict(link, keys) for link in chain.links}
    return SIGNED if verdicts == {None} else "not signed with the keys known"


def unsigned_files(chain: Chain, run_id: str, keys: PublicKeys) -> list[str]:
    """Say if what the chain has of a run is in no link signed with one of the keys.

    Without keys there is nothing to say.
    """
    if not keys:
        return []
    holds = chain.files
    ours = {
        (path, holds[path])
        for link in chain.links
        if link.run_id == run_id
        for path in link.files
    }
    vouched_for = {
        file
        for link in chain.links
        if _verdict(link, keys) is None
        for file in link.files.items()
    }
    if ours <= vouched_for:
        return []
    several = f"{len(ours - vouched_for)} of {len(ours)} files of run {run_id}"
    return [f"{UNSIGNED}: {several} are in no link signed with a known key"]


def signature_complaints(chain: Chain, keys: PublicKeys) -> list[str]:
    """Say which links are not signed as they ought to be.

    Without keys: those that are not signed as the links before them are.
    """
    complaints = []
    first = None
    verdicts: list[tuple[int, str | None]] = []
    for link in chain.links:
        if keys:
            verdict = _verdict(link, keys)
        elif link.signed_by == first:
            verdict = None
        elif link.signed_by is None:
            verdict = f"{UNSIGNED}, those before are signed"
        elif first is None:
            verdict, first = None, link.signed_by
        else:
            verdict = "signed with another key than those before"
        verdicts.append((link.sequence, verdict))
    for verdict, group in groupby(verdicts, key=lambda each: each[1]):
        if verdict is not None:
            numbers = [number for number, _ in group]
            several = f"links {numbers[0]} to {numbers[-1]} of the chain are"
            one = f"link {numbers[0]} of the chain is"
            complaints.append(f"{several if len(numbers) > 1 else one} {verdict}")
    return complaints


def _signature_findings(chain: Chain, keys: PublicKeys) -> list[str]:
    if keys and signed(chain, keys) == UNSIGNED:
        return [f"the chain of receipts is {UNSIGNED}"]
    return signature_complaints(chain, keys)


def _verdict(link: Link, keys: PublicKeys) -> str | None:
    """Say what is wrong with a link's signature, None if it is one of the keys'."""
    if link.signed_by is None or link.signature is None:
        return UNSIGNED
    key = keys.get(link.signed_by)
    if key is None:
        return "signed with another key"
    signature_holds = is_signed(link.sha256, link.signature, key)
    return None if signature_holds else "wrongly signed"


# Files


def changed(home: Home, files: Mapping[str, str]) -> list[str]:
    """Return the paths whose bytes have another hash than given, or are not there."""
    return [
        path
        for path, sha in sorted(files.items())
        if sha256_or_none(home.root / path) != sha
    ]


def said(home: Home, path: str) -> str:
    """Say of a file that has changed what became of it."""
    there = (home.root / path).exists()
    return f"{path} {'is not what it was' if there else 'is missing'}"


def publication_folders(home: Home) -> list[Path]:
    """Return the publications that are there, and the one that ought to be."""
    folders = {folder for folder in home.publications.glob("*") if folder.is_dir()}
    if home.current.is_symlink():
        folders.add(home.publications / home.current.readlink().name)
    return sorted(folders)


def unsealed(home: Home, chain: Chain) -> list[str]:
    """Name the publications that the chain does not."""
    states = [each / STATE for each in publication_folders(home)]
    return [
        f"{path_below(home, state.parent)}/ is in no chain"
        for state in states
        if state.exists() and path_below(home, state) not in chain.files
    ]


def _files(home: Home, chain: Chain, *, large_files: bool) -> Iterator[str]:
    """Say which files that the chain names are not what they were.

    A publication that is gone has been replaced twice. Receipts are broken_links'.
    """
    publications = f"{path_below(home, home.publications)}/"
    there = {f"{path_below(home, each)}/" for each in publication_folders(home)}
    named = {
        path: sha
        for path, sha in chain.files.items()
        if sha != RETIRED
        and (large_files or not path.endswith(_LARGE))
        and not path.startswith(f"{path_below(home, home.reports)}/")
        and (not path.startswith(publications) or path.startswith(tuple(there)))
    }
    yield from (said(home, path) for path in changed(home, named))


# Anchors


def loose_anchors(home: Home, chain: Chain) -> list[str]:
    """Name the publications and packs whose head of the chain is no link of it."""
    found = []
    for folder in publication_folders(home):
        manifests = sorted((folder / PACKS).glob(f"*/*/{PACK_MANIFEST}"))
        for path in (folder / STATE, *manifests):
            head = _head_named_by(path)
            if head is not None and not _holds(chain, head):
                found.append(
                    f"{path_below(home, path)} names link {head},"
                    " which the chain of receipts does not have"
                )
    return found


def _head_named_by(path: Path) -> ChainHead | None:
    """Return the head in a manifest; one that cannot be read is known by its hash."""
    try:
        stated: Any = json.loads(path.read_text(encoding="utf-8"))
        return chain_head_of(stated)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _holds(chain: Chain, head: ChainHead) -> bool:
    return any(link.head == head for link in chain.links)
