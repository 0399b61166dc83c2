"""The order's own words: every paragraph that has an edition has its text."""

import csv

from komek.base import places
from komek.explain.wording import wording


def test_every_paragraph_of_every_edition_is_worded() -> None:
    with (places.LAW_SEEDS / "paragraphs.csv").open(encoding="utf-8") as file:
        editions = [(row["act_id"], row["paragraph"]) for row in csv.DictReader(file)]
    assert len(editions) > 30
    # The annex is a form to fill in, no text.
    assert [one for one in editions if not wording(*one)] == [("order_118", "annex")]


def test_the_parts_of_a_paragraph_are_apart() -> None:
    lead, *grounds = wording("order_118", "p25")
    assert lead == (
        "Продуктово-бытовой набор предоставляется на период чрезвычайного положения:"
    )
    assert len(grounds) == 5
    assert grounds[3] == "воспитывающим ребенка-инвалида;"
    assert len(wording("order_118", "p1")) == 26


def test_an_unknown_paragraph_has_none() -> None:
    assert wording("order_118", "p31") == wording("order_0", "p1") == ()
