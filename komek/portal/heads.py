"""What pages call things: the ways of each role, the tables of bodies, their values."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from komek.portal.language import Language
from komek.portal.roles import AUDITOR, BODY, Role
from komek.publishing.role_files import ENGINEER, MINISTRY, REGION

_CODES = {
    "outcome": "outcome",
    "status": "outcome",
    "reason": "reason",
    "finding": "reason",
    "cause": "code",
}


def navigation(role: Role, lang: Language) -> list[tuple[str, str]]:
    """Return the pages that a role goes to, each with its name."""
    _ = lang.text
    own = f"/regions/{role.of}"
    ways = {
        REGION: [
            (own, _("Region")),
            (f"{own}/list", _("List")),
            (f"{own}/sign-off", _("Sign-off")),
            (f"{own}/deadlines", _("Deadlines")),
            (f"{own}/papers", _("Papers")),
            ("/quality", _("Quality")),
        ],
        MINISTRY: [("/ministry", _("The country")), ("/simulation", _("What if"))],
        AUDITOR: [
            ("/auditor", _("Audit")),
            ("/auditor/country", _("The country")),
            ("/auditor/lineage", _("Lineage")),
            ("/auditor/diff", _("Differences")),
            ("/auditor/law", _("Law")),
            ("/simulation", _("What if")),
            ("/auditor/access", _("Access log")),
            ("/quality", _("Quality")),
        ],
        ENGINEER: [("/quality", _("Quality"))],
        BODY: [("/body", _("To act on"))],
    }
    return ways[role.kind]


def table_name(name: str, lang: Language) -> str:
    """Return what a table of a body's file is called."""
    _ = lang.text
    return {
        "payouts": _("Payouts by month, with their basis"),
        "terms": _("Terms of disability and their new ends"),
        "queue": _("Examinations to be held"),
        "examinations": _("In-absentia examinations and control dates"),
        "jobseekers": _("Steps of jobseekers' cases"),
        "findings": _("Findings on jobseekers' cases"),
    }[name]


def body_name(body: str, lang: Language) -> str:
    """Return a body's name."""
    _ = lang.text
    return {
        "state_corporation": _("State Corporation"),
        "mse": _("Medical and social examination"),
        "employment": _("Employment centres"),
        "fund": _("Social insurance fund"),
    }[body]


def shown(
    name: str, value: object, names: Mapping[str, Mapping[str, Any]], lang: Language
) -> str:
    """Return a value of a body's table as people read it."""
    if value is None or value == "":
        return "–"
    if name == "region_kato":
        return lang.name(names.get(str(value)))
    if name == "month" and isinstance(value, date):
        return lang.month(value)
    if isinstance(value, date):
        return lang.short_day(value)
    if isinstance(value, Decimal):
        return lang.tenge(value)
    is_text = name in ("iin", "award_id", "term_id", "case_id", "mse_unit", "centre_id")
    return str(value) if is_text else lang.word(_CODES.get(name, "code"), value)
