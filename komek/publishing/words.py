"""The words of packs, Russian and Kazakh: `words.csv` beside it has a key each."""

import csv
from functools import cache
from pathlib import Path

from komek.base.database import text_literal

WORDS = Path(__file__).with_suffix(".csv")


@cache
def texts() -> dict[str, tuple[str, str]]:
    """Return the Russian and the Kazakh words by key, `<kind>.<code>`."""
    with WORDS.open(encoding="utf-8", newline="") as file:
        return {
            row["key"]: (row["text_ru"], row["text_kk"]) for row in csv.DictReader(file)
        }


def words(key: str) -> str:
    """Return both words of a key as people read them, one where they are the same."""
    return " / ".join(dict.fromkeys(texts()[key]))


def said(kind: str, code: str) -> str:
    """Return SQL for the words of a code; one without words stands for itself.

    Args:
        kind: what kind of code it is.
        code: SQL for it.
    """
    cases = " ".join(
        f"when {text_literal(key.removeprefix(f'{kind}.'))}"
        f" then {text_literal(words(key))}"
        for key in texts()
        if key.startswith(f"{kind}.")
    )
    return f"case {code} {cases} else {code} end"


def all_said(kind: str, codes: str) -> str:
    """Return SQL for the words of a list of codes, one after another."""
    each = f"lambda code: {said(kind, 'code')}"
    return f"array_to_string(list_transform({codes}, {each}), '; ')"
