"""Every code that the models can give, read from their own text and what checks it."""

import re

import yaml

from komek.base import places

LAW = places.DBT_PROJECT / "models" / "law"
# Contracts are nobody's: no explanation tells of them.
_OF_NOBODY = "contract_findings"


def findings() -> list[tuple[str, str]]:
    """Return what the models of the law say that they find: mart and code."""
    found = set()
    for path in LAW.glob("*.yml"):
        (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        finds = model.get("config", {}).get("meta", {}).get("finds", {})
        found |= {(mart, code) for mart, codes in finds.items() for code in codes}
    return sorted(one for one in found if one[0] != _OF_NOBODY)


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
