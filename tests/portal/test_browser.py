"""Each role's main way through the portal, in Chromium; and axe on its pages."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from komek.base.places import Home

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: install the Debian package chromium"
)
REGION = "110000000"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
LANGUAGES = ("ru", "kk", "en")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 760}


@dataclass
class Served:
    """The portal of a home on a port, a browser, and all that it asked for."""

    url: str
    passwords: dict[str, tuple[str, str]]
    browser: Browser
    asked: set[str] = field(default_factory=set)

    @contextmanager
    def signed_in(self, role: str, lang: str = "ru", **look: object) -> Iterator[Page]:
        """Open a window in which a role has signed in by the form."""
        user, password = self.passwords[role]
        window = self.browser.new_context(base_url=self.url, locale=lang, **look)
        window.on("request", lambda request: self.asked.add(request.url))
        try:
            page = window.new_page()
            page.goto("/sign-in")
            page.locator("input[name=name]").fill(user)
            page.locator("input[name=password]").fill(password)
            page.locator("main button").click()
            page.wait_for_url(re.compile("^(?!.*/sign-in)"))
            yield page
        finally:
            window.close()


@pytest.fixture(scope="module")
def served(
    published_golden: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(published_golden.root, home, symlinks=True)
    serve = ["serve", "--home", str(home), "--port", "0", "--demo", "--json"]
    with (
        subprocess.Popen(
            [sys.executable, "-m", "komek", *serve],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as portal,
        sync_playwright() as playwright,
    ):
        try:
            told = json.loads(portal.stdout.readline())
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                # Root, as CI is, has no sandbox.
                chromium_sandbox=os.geteuid() != 0,
            )
            accounts = told["accounts"]
            yield Served(
                told["url"],
                {one["role"]: (one["user"], one["password"]) for one in accounts},
                browser,
            )
            browser.close()
        finally:
            portal.terminate()


def download(page: Page, link: str) -> Path:
    """Follow a link to a file."""
    with page.expect_download() as coming:
        page.locator(link).click()
    return coming.value.path()


# Ways


def test_a_region_finds_reads_prints_and_signs_off(served: Served) -> None:
    with served.signed_in(f"region:{REGION}") as page:
        page.goto(f"/regions/{REGION}/list")
        listed = page.locator("tbody th a").first
        surname = listed.inner_text().split()[0]
        page.locator("input[name=surname]").fill(surname)
        page.locator("form:has(input[name=surname]) button").click()
        found = page.locator("tbody th a").first
        assert found.inner_text().startswith(surname)
        found.click()

        # Why: a decision with the values compared, and the order's own words.
        decided = page.locator("article.decision").first
        assert decided.locator("li.holds").count() > 0
        words = page.locator("blockquote").first
        assert not words.is_visible()
        page.locator("details:has(blockquote) summary").first.click()
        assert words.is_visible()

        page.locator("a[href$='/certificate']").click()
        page.emulate_media(media="print")
        sheet = page.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
        page.emulate_media(media="screen")

        page.goto(f"/regions/{REGION}/papers")
        archive = download(page, "a[href$='/papers/handover/ru']")
        with ZipFile(archive) as papers:
            suffixes = {Path(name).suffix for name in papers.namelist()}
        assert suffixes == {".pdf", ".xlsx"}

        # Of what there is nothing to put on paper, that is said, and no file comes.
        page.goto(f"/regions/{REGION}/papers/supplement/ru")
        assert "положить нечего" in page.locator(".notice").inner_text()

        page.goto(f"/regions/{REGION}/sign-off")
        card = page.locator("section.card").first
        card.locator("button").click()
        # Not before it is said to have been looked at.
        assert card.locator(".notice.good").count() == 0
        card.locator("input[type=checkbox]").check()
        card.locator("button").click()
        page.locator("section.card .notice.good").first.wait_for()


def test_an_auditor_goes_from_a_sum_to_the_landed_row(served: Served) -> None:
    with served.signed_in("auditor", "en") as page:
        page.goto("/auditor/country")
        page.locator(f"a[href='/regions/{REGION}']").first.click()
        page.locator(".tiles a").first.click()
        assert page.locator("tbody tr").count() > 1
        page.goto("/auditor/rows/food_set_recipients")
        page.locator("a[href^='/auditor/rows/food_set_recipients/']").first.click()
        assert "Source rows, as received" in page.locator("main").inner_text()
        assert re.search(r"\w+/2020-[-\d]+\.csv", page.locator("main").inner_text())


def test_an_engineer_finds_a_bad_file(served: Served) -> None:
    with served.signed_in("engineer", "kk") as page:
        page.goto("/quality")
        page.locator("th a[href='/quality/persons']").click()
        text = page.locator("main").inner_text()
        assert "2020-04-01.csv" in text
        assert not re.search(r"\b\d{12}\b", text)


def test_the_ministry_asks_what_if(served: Served) -> None:
    with served.signed_in("ministry") as page:
        page.goto("/simulation")
        chosen = page.locator("select[name=policy]").first
        assert chosen.locator("option").count() > 1
        assert not re.search(r"\b\d{12}\b", page.locator("main").inner_text())


# Looks

PAGES = {
    f"region:{REGION}": [
        f"/regions/{REGION}",
        f"/regions/{REGION}/list",
        f"/regions/{REGION}/sign-off",
        f"/regions/{REGION}/deadlines",
        f"/regions/{REGION}/papers",
    ],
    "body:mse": ["/body"],
    "ministry": ["/ministry", "/simulation"],
    "auditor": [
        "/auditor",
        "/auditor/lineage",
        "/auditor/rows/food_set_recipients",
        "/auditor/diff",
        "/auditor/law",
        "/auditor/access",
    ],
    "engineer": ["/quality", "/quality/persons"],
}


def looks() -> Iterator[tuple[str, dict[str, object]]]:
    """Yield languages with themes and widths in turn, so that each pair comes."""
    widths = cycle((DESK, PHONE))
    for theme in cycle(("light", "dark", "dark", "light")):
        for lang in LANGUAGES:
            yield lang, {"color_scheme": theme, "viewport": next(widths)}


def violations(page: Page) -> list[str]:
    """Return what axe finds on a page, and where."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]
    ]


@pytest.mark.parametrize("role", PAGES)
def test_axe_finds_nothing(served: Served, role: str) -> None:
    turns = looks()
    # Each page of a role in two looks; over the roles every look comes.
    for _ in range(2 if len(PAGES[role]) > 2 else 4):
        lang, look = next(turns)
        with served.signed_in(role, lang, **look) as page:
            for path in PAGES[role]:
                page.goto(path)
                assert page.locator("html").get_attribute("lang") == lang
                assert violations(page) == [], (path, lang, look)
                wide = page.evaluate(
                    "document.documentElement.scrollWidth > innerWidth"
                )
                assert not wide, (path, lang, look)


def test_a_person_s_page_is_for_everybody(served: Served) -> None:
    for (lang, look), _ in zip(looks(), range(4), strict=False):
        with served.signed_in(f"region:{REGION}", lang, **look) as page:
            page.goto(f"/regions/{REGION}/list")
            page.locator("tbody th a").first.click()
            page.locator("details:has(blockquote) summary").first.click()
            assert violations(page) == [], (lang, look)


def test_no_request_left_the_host(served: Served) -> None:
    assert len(served.asked) > 20
    assert [url for url in served.asked if not url.startswith(served.url)] == []
