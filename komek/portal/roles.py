"""The roles, what each may see, and the files of a publication that are its own."""

import re
from dataclasses import dataclass

from komek.base.errors import UsageError
from komek.publishing.role_files import (
    BODIES,
    ENGINEER,
    MINISTRY,
    REGION,
    body_file,
    region_file,
)

AUDITOR = "auditor"
BODY = "body"
_ROLE = re.compile(
    rf"{REGION}:(?P<region>[0-9]{{9}})|{BODY}:(?P<body>{'|'.join(BODIES)})"
    rf"|(?P<other>{MINISTRY}|{AUDITOR}|{ENGINEER})"
)


@dataclass(frozen=True)
class Role:
    """A role: its kind, and the region or body that it is bound to, if it is."""

    kind: str
    of: str = ""

    def __str__(self) -> str:
        """Return it as accounts name it, such as `region:110000000`."""
        return f"{self.kind}:{self.of}" if self.of else self.kind

    @property
    def sees_everything(self) -> bool:
        """Whether it is an auditor's."""
        return self.kind == AUDITOR

    @property
    def region(self) -> str | None:
        """The one region it may see, None for other kinds."""
        return self.of if self.kind == REGION else None

    @property
    def own_file(self) -> str | None:
        """The name of its file; the auditor has the publication itself."""
        if self.kind == REGION:
            return region_file(self.of)
        if self.kind == BODY:
            return body_file(self.of)
        return None if self.sees_everything else self.kind

    def may_open(self, file: str) -> bool:
        """Say whether a file of a publication is one of the role's."""
        return self.sees_everything or file == self.own_file

    def may_see_people_of(self, region_kato: str) -> bool:
        """Say whether lists and people of a region are the role's to see."""
        return self.sees_everything or self.region == region_kato

    def may_see_figures_of(self, region_kato: str) -> bool:
        """Say whether the counts and sums of a region are the role's to see."""
        return self.kind == MINISTRY or self.may_see_people_of(region_kato)


def parsed(text: str) -> Role:
    """Return the role that a text names.

    Raises:
        UsageError: it names none.
    """
    found = _ROLE.fullmatch(text)
    if found is None:
        bodies = ", ".join(f"{BODY}:{body}" for body in BODIES)
        raise UsageError(
            f"{text!r} is no role: one of {REGION}:KATO, {bodies}, {MINISTRY},"
            f" {AUDITOR}, {ENGINEER}"
        )
    if found["region"]:
        return Role(REGION, found["region"])
    return Role(BODY, found["body"]) if found["body"] else Role(found["other"])
