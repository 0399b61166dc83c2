"""Every code that the models can give, read from their own text and what checks it."""

import re
from collections.abc import Iterator

import yaml

from komek.base import places

LAW = places.DBT_PROJECT / "models" / "law"
# Contracts are nobody's: no explanation tells of them.
_OF_CONTRACTS = "p28_contract_findings"


def findings() -> list[str]:
    """Return the findings that the models of the law write."""
    found = {
        finding
        for path in LAW.glob("*.sql")
        if path.stem != _OF_CONTRACTS
        for finding in _findings(path.read_text(encoding="utf-8"))
    }
    return sorted(found)


def _findings(sql: str) -> Iterator[str]:
    yield from re.findall(r"'([a-z0-9_:]+)'\s+as finding", sql)
    for case in re.findall(r"case\b((?:(?!\bcase\b).)*?)\bend\s+as finding", sql, re.S):
        yield from re.findall(r"then\s+'([a-z0-9_:]+)'", case)
    for field in re.findall(r"set fields = \[(.*?)\]", sql, re.S):
        yield from (f"incomplete:{name}" for name in re.findall(r"'(\w+)'", field))


def checked_codes() -> list[tuple[str, str, str]]:
    """Return the codes of each mart's columns that the result is checked against."""
    found = []
    for path in sorted((places.EXPECTATIONS / "result").glob("*.yml")):
        suite = yaml.safe_load(path.read_text(encoding="utf-8"))
        for one in suite["expectations"]:
            codes = one.get("kwargs", {}).get("value_set")
            if isinstance(codes, list):
                column = one["kwargs"]["column"]
                found += [(suite["name"], column, str(code)) for code in codes]
    return found


def set_aside_reasons() -> list[str]:
    """Return the reasons for which a row is set aside, without their columns."""
    text = (places.DBT_PROJECT / "macros/staging/rejected.sql").read_text(
        encoding="utf-8"
    )
    heads = re.findall(r"'([a-z_]+):'", text)
    whole = re.findall(r"'([a-z]+_[a-z]+)' as reason", text)
    return sorted({*heads, *whole, *re.findall(r"then '(malformed_row)'", text)})
