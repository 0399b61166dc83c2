"""What the paragraphs say, as they were published: `wording.csv`, in Russian.

Of each act and paragraph the text, its parts on lines of their own. Titles are ours and
in three languages; the words are the order's.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

WORDING = Path(__file__).parent / "wording.csv"


def wording(act_id: str, paragraph: str) -> tuple[str, ...]:
    """Return the parts of a paragraph by the act that words it; none where unknown."""
    return _known().get((act_id, paragraph), ())


@cache
def _known() -> Mapping[tuple[str, str], tuple[str, ...]]:
    with WORDING.open(encoding="utf-8", newline="") as file:
        return {
            (row["act_id"], row["paragraph"]): tuple(row["text_ru"].split("\n"))
            for row in csv.DictReader(file)
        }
