"""Data Docs, read back: one verdict everywhere, by name and with its reason."""

import json
import shutil
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from checked import check, execute
from komek.checks import gx
from komek.checks.outcome import Outcome, Result, Verdict
from result_tables import first, last

SUITES = "region_status food_set_recipients asp_extensions snapshot_use run"
# By suite and name: what breaks it, and what comes of it.
BROKEN = {
    ("region_status", "set_cost_plausible"): first(
        "region_status", norm_cost="60000", publication="'published'"
    ),
    ("food_set_recipients", "nobody_unassigned"): last(
        "food_set_recipients", region_kato="'unassigned'", district_kato="null"
    ),
    ("asp_extensions", "outcome_codes"): last("asp_extensions", outcome="'maybe'"),
    ("snapshot_use", "table_exists"): "drop table marts.snapshot_use",
}


@dataclass
class Page(HTMLParser):
    """The text of a page, and of the cells of its tables' rows, by their heads."""

    path: Path
    text: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._heads: list[str] = []
        self._cell: list[str] | None = None
        self._cells: list[str] = []
        self.source = self.path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, _attrs: list) -> None:
        if tag == "tr":
            self._cells = []
        if tag in ("td", "th"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cells.append(" ".join("".join(self._cell).split()))
            self._cell = None
        if tag == "th":
            self._heads = list(self._cells)
        if tag == "tr" and self._cells != self._heads:
            self.rows.append(dict(zip(self._heads, self._cells, strict=True)))


@pytest.fixture(scope="module")
def outcome(good_result: Path) -> Outcome:
    file = good_result.with_name("pages.duckdb")
    shutil.copy(good_result, file)
    execute(file, BROKEN.values())
    return check("result", SUITES, file, good_result.parent / "pages")


@pytest.fixture(scope="module")
def docs(good_result: Path, outcome: Outcome) -> Path:
    return good_result.parent / "pages" / "data_docs"


def of(outcome: Outcome, suite: str) -> list[Result]:
    return [result for result in outcome.results if result.suite == suite]


def test_what_is_looked_at_has_verdicts_of_several_kinds(outcome: Outcome) -> None:
    assert {r.verdict for r in outcome.results} >= {"passed", "warned", "stopped"}
    assert set(BROKEN) <= {(r.suite, r.name) for r in outcome.results if not r.success}


@pytest.mark.parametrize("suite", SUITES.split())
def test_a_page_tells_each_expectation_by_name_with_its_reason_and_verdict(
    outcome: Outcome, docs: Path, suite: str
) -> None:
    page = Page(docs / "result" / f"{suite}.html")
    told = {row["Expectation"]: row for row in page.rows}
    assert set(told) == {result.name for result in of(outcome, suite)}
    for result in of(outcome, suite):
        row = told[result.name]
        assert row["Verdict"] == result.verdict
        assert row["Why"].startswith(" ".join(result.meta["reason"].split()))
        assert (result.message in row["Why"]) == (not result.success)
        assert row["Paragraph"] == (result.meta.get("paragraph") or "")
        assert row["Rows"] == str(
            "" if result.unexpected_count is None else result.unexpected_count
        )
        # In words; a query is there for who opens it.
        assert not row["What is expected"].startswith("select")
        if result.name != "table_exists":
            assert row["What is expected"]
    # Nothing else says how it ended.
    assert "✘" not in page.source
    assert "fa-times" not in page.source


def test_the_index_says_what_the_pages_say(outcome: Outcome, docs: Path) -> None:
    index = Page(docs / "index.html")
    found = [(row["Expectation"], row["Verdict"], row["Why"]) for row in index.rows]
    told = [
        (row["Expectation"], row["Verdict"], row["Why"])
        for suite in sorted(SUITES.split())
        for row in Page(docs / "result" / f"{suite}.html").rows
    ]
    assert found == told
    report = json.loads(
        (docs.parent / "validation" / "result.json").read_text(encoding="utf-8")
    )
    assert sorted((name, verdict) for name, verdict, _ in found) == sorted(
        (result["name"], result["verdict"]) for result in report["results"]
    )


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_has_its_word_and_no_markup_is_obeyed(
    verdict: Verdict, tmp_path: Path
) -> None:
    result = {
        "suite": "persons",
        "name": "a_name",
        "verdict": verdict,
        "success": verdict == "passed",
        "unexpected_count": 7,
        "message": "persons: a_name: 7 rows (extra is <script>)",
        "meta": {"reason": "Because.", "paragraph": None},
    }
    stage = {"stage": "door", "results": [result], "override": None}
    asked = {"a_name": gx.Question("Must.", "select '<script>'", "7")}
    path = tmp_path / "page.html"
    path.write_text(gx.Pages().suite("r1", stage, "persons", asked), encoding="utf-8")
    page = Page(path)
    (row,) = page.rows
    assert row["Verdict"] == verdict
    assert row["Found"] == "7"
    assert f"1 {verdict}" in " ".join(page.text.split())
    assert "<script>" not in page.source


def test_what_was_asked_is_in_words(outcome: Outcome, docs: Path) -> None:
    asked = {
        row["Expectation"]: row["What is expected"]
        for row in Page(docs / "result" / "region_status.html").rows
    }
    assert asked["publication_codes"] == (
        "publication values must belong to this set: published blocked."
    )
    assert asked["set_cost_plausible"].startswith("The query finds no row. Query")
