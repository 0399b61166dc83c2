"""Papers on demand: which kinds there are, what may be asked, where files go."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from komek.base.database import encrypts
from komek.base.errors import KomekError, UsageError
from komek.base.files import make_private, private_files, put
from komek.base.messages import harmless
from komek.base.places import Home
from komek.base.say import Say
from komek.base.settings import KEY
from komek.papers.blocked import blocked_papers
from komek.papers.deadlines import deadline_papers
from komek.papers.extensions import extension_papers
from komek.papers.handover import handover_papers
from komek.papers.lists import list_papers, supplement_papers
from komek.papers.notifications import notification_papers
from komek.papers.pages import write_pages
from komek.papers.paper import Attachment, Paper
from komek.papers.payments import payment_papers
from komek.papers.reconciliation import reconciliation_papers
from komek.papers.returns import return_papers
from komek.papers.sheets import write_sheets
from komek.papers.source import Source, opened
from komek.papers.summary import summary_papers
from komek.papers.words import LANGUAGES
from komek.publishing.publication import current_publication

Maker = Callable[[Source], Iterator[Paper | Attachment]]
KINDS: Mapping[str, Maker] = {
    "list": list_papers,
    "supplement": supplement_papers,
    "handover": handover_papers,
    "payments": payment_papers,
    "reconciliation": reconciliation_papers,
    "blocked": blocked_papers,
    "extensions": extension_papers,
    "deadlines": deadline_papers,
    "notifications": notification_papers,
    "returns": return_papers,
    "summary": summary_papers,
}
# Of the whole country: no region has one of its own.
NATIONAL = ("returns", "summary")
# Of the sets that the run planned: those of its own month alone.
OF_THE_PLAN = ("handover", "payments", "blocked")
_FOLDER = "papers"


@dataclass(frozen=True)
class Request:
    """What papers are asked for.

    Attributes:
        kinds: those wanted; none for all that there are.
        month: `YYYY-MM`, or its first day; None for the run's own.
        region_kato: one region; None for all.
        lang: `ru` or `kk`.
    """

    kinds: Sequence[str] = ()
    month: str | None = None
    region_kato: str | None = None
    lang: str = "ru"

    def __post_init__(self) -> None:
        """Refuse what is no kind, no month or no language.

        Raises:
            UsageError: it is not.
        """
        for kind in self.kinds:
            if kind not in KINDS:
                raise UsageError(f"no kind of paper {kind!r}: {', '.join(KINDS)}")
            if self.region_kato is not None and kind in NATIONAL:
                raise UsageError(f"{kind} is of the whole country: it takes no region")
        if self.lang not in LANGUAGES:
            raise UsageError(
                f"papers are in {' or '.join(LANGUAGES)}, not {self.lang!r}"
            )
        self.first_day  # noqa: B018

    @property
    def first_day(self) -> date | None:
        """The first day of the month, None where none was named.

        Raises:
            UsageError: what was named is none.
        """
        if self.month is None:
            return None
        found = re.fullmatch(r"([0-9]{4})-([0-9]{2})(-01)?", self.month, re.ASCII)
        try:
            if found is not None:
                return date(int(found[1]), int(found[2]), 1)
        except ValueError:
            pass
        raise UsageError(f"{self.month!r} is not a month of the form YYYY-MM")

    @property
    def chosen(self) -> list[str]:
        """The kinds to make, in their order."""
        if self.kinds:
            return [kind for kind in KINDS if kind in self.kinds]
        return [
            kind for kind in KINDS if self.region_kato is None or kind not in NATIONAL
        ]


@dataclass(frozen=True)
class Made:
    """The files of one kind, and why there are none or fewer than might be."""

    kind: str
    files: Sequence[Path]
    note: str = ""


def default_folder(home: Home) -> Path:
    """Return where papers go that nobody named a folder for: by publication.

    Raises:
        KomekError: nothing is published.
        UsageError: what is written here is encrypted, which papers cannot be.
    """
    publication = current_publication(home)
    if publication is None:
        raise KomekError(f"nothing is published in {home.root}")
    if encrypts():
        raise UsageError(
            f"under {KEY} nothing readable is written here: name a folder for papers"
            " with --to"
        )
    return home.root / _FOLDER / publication.name


def make_papers(
    home: Home,
    request: Request,
    target: Path,
    say: Say = lambda _line: None,
    by_region: bool = True,
) -> list[Made]:
    """Make papers from the publication that holds.

    Args:
        home: where it is.
        request: which papers.
        target: the folder they go to, made if needed.
        say: takes lines for people.
        by_region: whether each region's go to a folder of its own below the target.

    Raises:
        UsageError: no such month or region, or the payer's configuration lacks
            something that a kind asked for by name needs.
        KomekError: nothing is published, or the files cannot be written.
    """
    with private_files():
        try:
            make_private(target)
            with opened(
                home, request.first_day, request.region_kato, request.lang, target
            ) as source:
                made = []
                for kind in request.chosen:
                    made.append(_made(source, kind, request, target, by_region))
                    files, note = len(made[-1].files), made[-1].note
                    say(f"{kind}: {files} files{f' ({note})' if note else ''}")
                return made
        except duckdb.Error as error:
            raise KomekError(f"cannot make papers: {harmless(error)}") from error


def make_told(
    home: Home, request: Request, target: Path | None, say: Say
) -> dict[str, Any]:
    """Make papers; return what was made, ready for JSON.

    Args:
        home: where the publication is.
        request: which papers.
        target: the folder they go to; None for that of the publication in the home.
        say: takes lines for people.

    Returns:
        `folder`, and `papers`: of each kind its `files` and a `note`, or null.

    Raises:
        UsageError, KomekError: as `make_papers`.
    """
    folder = target.resolve() if target else default_folder(home)
    made = make_papers(home, request, folder, say)
    return {
        "folder": str(folder),
        "papers": [
            {
                "kind": one.kind,
                "files": [str(path) for path in one.files],
                "note": one.note or None,
            }
            for one in made
        ],
    }


def lines(told: dict[str, Any]) -> list[str]:
    """Return what was made as lines for people."""
    count = sum(len(one["files"]) for one in told["papers"])
    return [f"{count} files in {told['folder']}"]


def make(
    home: Home,
    kind: str,
    month: date | None,
    region: str | None,
    lang: str,
    target: Path,
) -> list[Path]:
    """Make the papers of one kind into a folder; return their files.

    Args:
        home: where the publication is.
        kind: one of `KINDS`.
        month: the first day of a month; None for the run's own.
        region: a region's code; None for all.
        lang: `ru` or `kk`.
        target: the folder.

    Raises:
        UsageError, KomekError: as `make_papers`.
    """
    asked = Request((kind,), month.isoformat() if month else None, region, lang)
    (made,) = make_papers(home, asked, target, by_region=False)
    return list(made.files)


def _made(
    source: Source, kind: str, request: Request, target: Path, by_region: bool
) -> Made:
    files: list[Path] = []
    try:
        for paper in KINDS[kind](source):
            folder = target / paper.folder if by_region else target
            make_private(folder)
            if isinstance(paper, Attachment):
                path = folder / paper.name
                put(path, paper.content)
                files.append(path)
                continue
            path = folder / f"{paper.stem}.xlsx"
            partial = path.with_name(f".{path.name}.partial")
            write_sheets(source.connection, paper, partial)
            partial.replace(path)
            files += [path, *write_pages(source.connection, paper, folder)]
    except UsageError as error:
        # Asked for by name it is an error; among all kinds it is left out, and said.
        if request.kinds:
            raise
        return Made(kind, files, str(error))
    return Made(kind, files, "" if files else _nothing(source, kind))


def _nothing(source: Source, kind: str) -> str:
    if kind in OF_THE_PLAN and not source.is_planned:
        return f"what is published does not plan {source.month:%Y-%m}"
    return "nothing to put on paper"
