"""What pages show is what the warehouse has, in three languages."""

import csv
import re
from io import BytesIO, StringIO

import openpyxl
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from komek.explain import explain
from komek.explain.text import render
from komek.explain.wording import wording
from komek.portal import language, region_pages
from komek.trust.signoffs import sign_off_of
from visiting import Portal, csrf_of

LANGUAGES = ("ru", "kk", "en")


def words(page: str) -> str:
    """Return what a page says, without its tags."""
    import html  # noqa: PLC0415

    text = re.sub(r"<(script|style|svg).*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def shape_of(path: str) -> str:
    """Return an address without what there are many of."""
    path = re.sub(r"=[^&]*|[0-9]+", "=", path)
    many = "lineage|rows|quality|receipts|docs|body"
    return re.sub(rf"/({many})/[^/?]+(?=/|\?|$)", r"/\1/=", path)


def test_every_page_a_role_is_led_to_is_there(portal: Portal) -> None:
    """Of each shape of address one: the languages take turns."""
    roles = portal.roles[:1] + portal.roles[len(portal.regions) :]
    for role, lang in zip(roles, LANGUAGES * len(roles), strict=False):
        browser = portal.signed_in(role, lang)
        waiting, seen = ["/"], set()
        while waiting:
            path = waiting.pop()
            shape = shape_of(path)
            if shape in seen:
                continue
            seen.add(shape)
            answer = browser.get(path, follow_redirects=True)
            assert answer.status_code == 200, (role, path)
            if "text/html" in answer.headers["content-type"] and "/docs/" not in path:
                assert f'<html lang="{lang}">' in answer.text, (role, path)
                waiting += [
                    one.replace("&amp;", "&")
                    for one in re.findall(r'href="(/[^"#]*)', answer.text)
                    if not one.startswith(("/static", "/language"))
                ]
        assert len(seen) > 1


def test_a_person_s_page_says_all_that_explain_says(portal: Portal) -> None:
    region = portal.regions[0]
    for lang in LANGUAGES:
        browser = portal.signed_in(f"region:{region}", lang)
        for person in sorted(portal.people_of(region))[:2]:
            form = {"csrf": csrf_of(browser), "iin": person, "reason": "a test"}
            page = words(browser.post("/people", data=form, follow_redirects=True).text)
            explanation = explain(portal.home, person)
            for line in render(explanation, lang)[1:]:
                for part in re.split(r"\s*\[\d+\]|: |; | \(|\)$|\.$|^\s+[+x-] ", line):
                    said = " ".join(part.split()).strip(" ().:")
                    if "=" not in said:
                        assert said in page, (lang, person, said)
            for row in explanation["rows"]:
                for value in row["values"].values():
                    assert value is None or " ".join(value.split()) in page
            # What the order itself says, of each paragraph that is cited.
            for name, cited in explanation["paragraphs"].items():
                for said in wording(cited["act_id"], name):
                    assert " ".join(said.split()) in page
            assert "постоянно проживающих в медико-социальных учреждениях" in page


def test_the_region_s_figures_are_the_warehouse_s(portal: Portal) -> None:
    for region in portal.regions:
        page = words(
            portal.signed_in(f"region:{region}").get(f"/regions/{region}").text
        )
        ((people, sets, amount),) = portal.ask(
            "select count(distinct iin), count(*), coalesce(sum(amount), 0)"
            " from marts.delivery_plan where region_kato = ? and list_no is not null",
            region,
        )
        tenge = language.Language("en").tenge(amount)
        assert f"People on the lists {people} " in page
        assert f"Sets {sets} " in page
        assert f"Tenge {tenge}" in page


def test_the_list_as_a_file_is_the_list(portal: Portal) -> None:
    region = portal.regions[0]
    browser = portal.signed_in(f"region:{region}")
    expected = portal.ask(
        "select iin, amount from marts.delivery_plan where region_kato = ?"
        " order by all",
        region,
    )
    path = f"/regions/{region}/list"

    text = browser.get(f"{path}.csv").content.decode("utf-8-sig")
    sheet = openpyxl.load_workbook(BytesIO(browser.get(f"{path}.xlsx").content))
    head, *rows = sheet.worksheets[1].iter_rows(values_only=True)

    iin, amount = "citizen's IIN", "amount, tenge"
    in_csv = list(csv.DictReader(StringIO(text)))
    names = list(in_csv[0])
    iin, amount = names[3], names[-1]
    assert sorted((r[iin], r[amount] or None) for r in in_csv) == [
        (person, str(tenge) if tenge is not None else None)
        for person, tenge in expected
    ]
    assert sorted(row[3] for row in rows) == [person for person, _ in expected]
    assert list(head) == names
    assert sum(row[-1] or 0 for row in rows) == sum(tenge or 0 for _, tenge in expected)
    one = browser.get(f"{path}.csv?ground=p25_3").content.decode("utf-8-sig")
    grounds = portal.ask(
        "select count(*) from marts.delivery_plan where region_kato = ?"
        " and primary_ground = 'p25_3'",
        region,
    )
    assert len(one.splitlines()) - 1 == grounds[0][0]


def test_a_region_signs_its_list_off_once(portal: Portal) -> None:
    region, other, *_ = portal.regions
    browser = portal.signed_in(f"region:{region}")
    page = browser.get(f"/regions/{region}/sign-off").text
    form = dict(re.findall(r'name="(list_\w+|sha256|csrf)" value="([^"]+)"', page))

    assert (
        browser.post(
            f"/regions/{region}/sign-off", data=form | {"sha256": "0" * 64}
        ).status_code
        == 409
    )
    assert browser.post(f"/regions/{other}/sign-off", data=form).status_code == 404
    auditor = portal.signed_in("auditor")
    theirs = form | {"csrf": csrf_of(auditor)}
    assert auditor.post(f"/regions/{region}/sign-off", data=theirs).status_code == 404
    assert browser.post(f"/regions/{region}/sign-off", data=form).status_code == 303
    assert browser.post(f"/regions/{region}/sign-off", data=form).status_code == 409

    assert "Confirmed by" in browser.get(f"/regions/{region}/sign-off").text
    month = portal.site.files.publication().run.list_month
    number = int(form["list_no"])
    assert sign_off_of(portal.home, region, month, number, form["sha256"])
    assert not sign_off_of(portal.home, region, month, number, "1" * 64)


def test_from_a_figure_to_the_landed_row(portal: Portal) -> None:
    auditor = portal.signed_in("auditor")
    for mart in (
        "region_status",
        "delivery_plan",
        "food_set_lists",
        "payout_schedule",
        "case_deadlines",
        "food_set_decisions",
        "list_reconciliation",
    ):
        rows = auditor.get(f"/auditor/rows/{mart}").text
        link = re.search(rf'href="(/auditor/rows/{mart}/[0-9]+)"', rows)
        assert link, mart
        page = words(auditor.get(link[1]).text)
        cited = re.search(r"Source rows, as received: ([0-9]+)", page)
        assert cited, mart
        assert int(cited[1]) > 0, mart


def test_an_auditor_finds_anybody_by_iin(portal: Portal) -> None:
    auditor = portal.signed_in("auditor")
    (person, *_) = sorted(portal.people_of(portal.regions[0]))
    form = {"csrf": csrf_of(auditor), "iin": person, "reason": "a complaint"}

    assert person in auditor.post("/people", data=form).text


def test_the_law_is_shown_as_the_order_words_it(portal: Portal) -> None:
    page = words(portal.signed_in("auditor", "kk").get("/auditor/law").text)
    assert "исходя из экономических возможностей, но не ниже двух месячных" in page


@pytest.mark.parametrize("lang", ["ru", "kk"])
def test_every_text_is_there_in_each_language(lang: str) -> None:
    found = {
        text
        for _, _, text, *_ in extract_from_dir(
            language.LOCALE.parent,
            method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
            keywords={"_": None, "gettext": None, "text": None},
        )
        if isinstance(text, str)
    }
    with (language.LOCALE / f"{lang}.po").open("rb") as file:
        known = {message.id: message.string for message in read_po(file)}

    assert len(found) > 200
    assert {text for text in found if not known.get(text)} == set()
    assert {text for text in known if text and text not in found} == set()


def test_whose_region_nobody_knows_is_led_to_too(portal: Portal) -> None:
    tables = {"body:mse": "disability_extensions", "body:employment": "case_deadlines"}
    unknown = 0
    for role, mart in tables.items():
        browser = portal.signed_in(role)
        places = re.findall(
            r'href="(/body/(?:terms|jobseekers)\?region=[^"]+)"',
            browser.get("/body").text,
        )
        rows = 0
        for path in places:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            found = re.search(r"rows: ([0-9,]+)", answer.text)
            assert found
            rows += int(found[1].replace(",", ""))
            unknown += "unassigned" in path and rows > 0
        where = "case_kind = 'jobseeker'" if mart == "case_deadlines" else "true"
        ((expected,),) = portal.ask(f"select count(*) from marts.{mart} where {where}")
        assert rows == expected > 0
    assert unknown


def test_deadlines_lead_to_all_their_rows_page_by_page(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_pages, "_PER_PAGE", 1)
    region, expected = portal.ask(
        "select case when steps.case_kind = 'application'"
        " then left(applications.region_kato, 2) || '0000000'"
        " else people.region_kato end as region, count(*)"
        " from marts.case_deadlines as steps"
        " left join facts.applications as applications"
        " on steps.case_kind = 'application' and case_id = application_id"
        " left join facts.jobseeker_cases as cases"
        " on steps.case_kind = 'jobseeker' and steps.case_id = cases.case_id"
        " left join facts.people as people on cases.iin = people.iin"
        " where status in ('open', 'overdue', 'late') group by 1 order by 2 desc, 1"
    )[0]
    browser, path = portal.signed_in("auditor"), f"/regions/{region}/deadlines"
    shown: list[tuple[str, str]] = []
    while path:
        page = browser.get(path).text
        steps = page.partition('id="findings"')[0]
        shown += re.findall(r'class="code">([^<]+)</th><td>([^<]+)<', steps)
        following = re.search(r'rel="next" href="([^"]+)"', steps)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(shown) == len(set(shown)) == expected > 1
