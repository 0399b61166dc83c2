"""The papers of a region, made when somebody asks for them."""

import io
import zipfile

import pytest

from visiting import Portal


def test_a_region_takes_its_papers_away(portal: Portal) -> None:
    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    page = browser.get(f"/regions/{region}/papers").text
    assert f'href="/regions/{region}/papers/reconciliation/kk"' in page
    assert "summary" not in page

    one, again = (
        browser.get(f"/regions/{region}/papers/reconciliation/ru") for _ in range(2)
    )
    assert (one.status_code, one.content) == (200, again.content)
    with zipfile.ZipFile(io.BytesIO(one.content)) as archive:
        names = archive.namelist()
    assert {name.rpartition(".")[2] for name in names} == {"xlsx", "pdf"}
    newest, _ = portal.site.log.page(0, 1)
    assert newest[0]["what"] == "download papers"


@pytest.mark.parametrize("kind", ["summary", "returns", "nothing"])
def test_what_is_no_paper_of_a_region_is_not_there(portal: Portal, kind: str) -> None:
    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    assert browser.get(f"/regions/{region}/papers/{kind}/ru").status_code == 404


def test_another_region_has_none(portal: Portal) -> None:
    region, other, *_ = portal.regions
    browser = portal.signed_in(f"region:{region}")
    assert browser.get(f"/regions/{other}/papers/list/ru").status_code == 404
