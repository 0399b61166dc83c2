"""Who pays, from which account and in what words: the file that KOMEK_PAYER names.

TOML. `[payer]` has what holds for every region, `[regions.<code>]` what is another in
one. `[banks]` may give the BIC of a bank by the three digits an IBAN has of it::

    [payer]
    name = "ГУ «Управление координации занятости и социальных программ»"
    bin = "000140000025"
    iban = "KZ86125KZT5004100100"
    bic = "KKMFKZ2A"
    kod = "12"
    kbe = "19"
    knp = "000"
    purpose = "Продуктово-бытовой набор за {month}, пункт 29 Правил"

    [regions.110000000]
    bin = "..."
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from komek.base.errors import UsageError
from komek.base.settings import PAYER, settings

# What each is called on paper, and the form it has.
_NAMED = {
    "name": ("payer's name", r".{1,140}"),
    "bin": ("БИН", r"[0-9]{12}"),
    "iban": ("payer's account", r"KZ[0-9]{5}[0-9A-Z]{13}"),
    "bic": ("bank", r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"),
    "kod": ("КОд", r"[12][1-9]"),
    "kbe": ("КБе", r"[12][1-9]"),
    "knp": ("КНП", r"[0-9]{3}"),
    "purpose": ("purpose", r".{1,140}"),
}


@dataclass(frozen=True)
class Payer:
    """The payer of a region's sets; `banks` has the BIC by a bank's three digits."""

    name: str
    bin: str
    iban: str
    bic: str
    kod: str
    kbe: str
    knp: str
    purpose: str
    banks: Mapping[str, str]


def payer_of(region_kato: str) -> Payer:
    """Return the payer of a region.

    Raises:
        UsageError: KOMEK_PAYER is not set, leads to no such file, or lacks what is
            named, or has it in another form.
    """
    named = settings().payer
    if named is None:
        raise UsageError(f"{PAYER} is not set: payments need a file with {_all_keys()}")
    stated = _stated(Path(named))
    both = _table(stated, "payer") | _table(_table(stated, "regions"), region_kato)
    banks = {str(code): str(bic) for code, bic in _table(stated, "banks").items()}
    missing = [
        f"{key} ({told})" for key, (told, _) in _NAMED.items() if not both.get(key)
    ]
    if missing:
        raise UsageError(
            f"{PAYER} {named}: region {region_kato} lacks {', '.join(missing)}"
        )
    for key, (told, form) in _NAMED.items():
        if not re.fullmatch(form, str(both[key])):
            raise UsageError(
                f"{PAYER} {named}: {key} ({told}) of region {region_kato} is not of"
                f" the form {form}"
            )
    if not is_iban(str(both["iban"])):
        raise UsageError(
            f"{PAYER} {named}: iban (payer's account) of region {region_kato} fails its"
            " check digits"
        )
    values = {one.name: both[one.name] for one in fields(Payer) if one.name != "banks"}
    return Payer(**{key: str(value) for key, value in values.items()}, banks=banks)


def is_iban(text: str) -> bool:
    """Whether the check digits of an account's number are right."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def _all_keys() -> str:
    return ", ".join(f"{key} ({told})" for key, (told, _) in _NAMED.items())


def _stated(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no TOML"
        raise UsageError(f"{PAYER} {path}: {what}") from None


def _table(stated: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = stated.get(key, {})
    return dict(value) if isinstance(value, Mapping) else {}
