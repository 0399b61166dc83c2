"""The auditor's pages: from any figure to its rows, from any row to its source rows."""

from typing import Annotated, Any

import duckdb
from fastapi import APIRouter, Form, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from komek.base import database, policies
from komek.explain.rows import Place, read_rows
from komek.explain.wording import wording
from komek.portal import lineage
from komek.portal.accounts import Visitor
from komek.portal.figure_pages import country
from komek.portal.files import NotThereError, Reader, Row
from komek.portal.site import Site, site_of
from komek.portal.web import Sending, Viewing, page, see_other
from komek.publishing.publication import Publication
from komek.trust.chain import read_chain, receipt_paths
from komek.trust.receipts import read_receipt
from komek.trust.signoffs import ledger_of, sign_offs
from komek.trust.standing import standing

router = APIRouter(prefix="/auditor", include_in_schema=False)
Table = Annotated[str, Path(pattern=r"^[a-z_]{1,20}\.[a-z0-9_]{1,60}$")]
Mart = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]
PageNo = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
_PER_PAGE = 50
_SOURCES = 200


def _audited(request: Request, visitor: Visitor) -> Site:
    if not visitor.role.sees_everything:
        raise NotThereError
    return site_of(request)


def _current(site: Site) -> Publication:
    publication = site.files.publication()
    if publication is None:
        raise NotThereError
    return publication


@router.get("")
def overview(request: Request, visitor: Viewing) -> Response:
    """Show publications and receipts, with what `verify` last said of each."""
    site = _audited(request, visitor)
    chain = read_chain(site.home)
    receipts = [read_receipt(site.home, run) for run in receipt_paths(site.home)]
    values = {
        "publications": site.files.publications(),
        "links": list(reversed(chain.links)),
        "standing": standing(site.home)["chain"],
        "receipts": sorted(receipts, key=lambda one: one["as_of"], reverse=True),
        "verified": {
            one["run_id"]: site.jobs.last(f"verify-{one['run_id']}") for one in receipts
        },
        "running": site.jobs.running,
        "ledgers": {
            "access.jsonl": site.log.wrong(),
            "signoffs.jsonl": ledger_of(site.home).wrong(),
        },
        "signed": sign_offs(site.home)[::-1][:20],
    }
    return page(request, "auditor.html", values, publication=site.files.publication())


@router.get("/country")
def figures(request: Request, visitor: Viewing) -> Response:
    """Show the ministry's figures, from which an auditor goes on to the regions."""
    _audited(request, visitor)
    return country(request, visitor)


@router.post("/verify")
def verify(
    request: Request, visitor: Sending, run_id: Annotated[str, Form(max_length=40)]
) -> Response:
    """Compute a run again and compare every table, beside the portal."""
    site = _audited(request, visitor)
    if run_id not in receipt_paths(site.home):
        raise NotThereError
    site.jobs.start(f"verify-{run_id}", ["verify", run_id])
    return see_other("/auditor")


@router.get("/receipts/{run_id}")
def receipt(
    request: Request,
    run_id: Annotated[str, Path(pattern=r"^[0-9a-z-]{1,40}$")],
    visitor: Viewing,
) -> Response:
    """Show a receipt whole."""
    site = _audited(request, visitor)
    if run_id not in receipt_paths(site.home):
        raise NotThereError
    with site.files.auditing(visitor.role) as reader:
        with_rows = _with_rows(reader)
    values = {
        "receipt": read_receipt(site.home, run_id),
        "with_rows": with_rows,
        "verified": site.jobs.last(f"verify-{run_id}"),
    }
    return page(request, "receipt.html", values, publication=site.files.publication())


# Lineage, rows, source rows


def _graph(site: Site, publication: Publication) -> lineage.Graph:
    said = read_receipt(site.home, publication.run.run_id)
    return lineage.graph_of(site.home, publication.run.run_id, said["code_version"])


@router.get("/lineage")
def tables(request: Request, visitor: Viewing) -> Response:
    """Show the tables of the run by layer."""
    site = _audited(request, visitor)
    publication = _current(site)
    graph = _graph(site, publication)
    by_layer: dict[str, list[str]] = {}
    for name in sorted(graph.described):
        by_layer.setdefault(name.partition(".")[0], []).append(name)
    values = {"by_layer": by_layer, "described": graph.described}
    return page(request, "tables.html", values, publication=publication)


@router.get("/lineage/{table}")
def of_table(request: Request, table: Table, visitor: Viewing) -> Response:
    """Show what a table stands on, and what each of its columns is made of."""
    site = _audited(request, visitor)
    publication = _current(site)
    graph = _graph(site, publication)
    if table not in graph.described:
        raise NotThereError
    with site.files.auditing(visitor.role) as reader:
        with_rows = {f"marts.{name}" for name in _with_rows(reader)}
    values = {
        "table": table,
        "described": graph.described[table],
        "graph": lineage.drawn(graph, table),
        "columns": [
            (name, sources, graph.origins(table, name))
            for name, sources in graph.columns.get(table, {}).items()
        ],
        "has_rows": table in with_rows,
    }
    return page(request, "lineage.html", values, publication=publication)


def _with_rows(reader: Reader) -> set[str]:
    """Return the marts that are tables: of a view, no row has a number."""
    found = reader.figures(
        "select table_name from information_schema.tables where table_schema = 'marts'"
        " and table_type = 'BASE TABLE' and table_catalog = current_database()"
    )
    return {row["table_name"] for row in found}


def _columns(reader: Reader, mart: str) -> list[str]:
    found = reader.rows(
        "select column_name from information_schema.columns where table_schema ="
        " 'marts' and table_name = ? and table_catalog = current_database()"
        " order by ordinal_position",
        [mart],
    )
    if mart not in _with_rows(reader):
        raise NotThereError
    return [row["column_name"] for row in found]


@router.get("/rows/{mart}")
def rows(
    request: Request,
    mart: Mart,
    visitor: Viewing,
    region: Annotated[str | None, Query(pattern=r"^([0-9]{9}|unassigned|)$")] = None,
    page_no: PageNo = 1,
) -> Response:
    """Show the rows of a mart, of a region or all."""
    site = _audited(request, visitor)
    with site.files.auditing(visitor.role) as reader:
        columns = _columns(reader, mart)
        asked = bool(region) and "region_kato" in columns
        where, given = ("where region_kato = ?", [region]) if asked else ("", [])
        counted = reader.one(f"select count(*) as n from marts.{mart} {where}", given)
        found = reader.rows(
            f"select rowid as n, * from marts.{mart} {where} order by rowid"
            f" limit {_PER_PAGE} offset ?",
            [*given, (page_no - 1) * _PER_PAGE],
        )
        _note(site, request, visitor, f"marts.{mart}", found)
        total = (counted or {"n": 0})["n"]
        values = {
            "mart": mart,
            "columns": columns,
            "rows": found,
            "total": total,
            "region": region or "",
            "page_no": page_no,
            "pages": max(1, -(-total // _PER_PAGE)),
            "has_region": "region_kato" in columns,
        }
        return page(request, "rows.html", values, publication=reader.publication)


def _note(
    site: Site, request: Request, visitor: Visitor, of: str, found: list[dict[str, Any]]
) -> None:
    people = {row["iin"] for row in found if row.get("iin")}
    if people:
        site.shows(request, visitor, "rows", of, sorted(people))


@router.get("/rows/{mart}/{n}")
def sources(
    request: Request,
    mart: Mart,
    n: Annotated[int, Path(ge=0, le=10**10)],
    visitor: Viewing,
) -> Response:
    """Show a row of a mart and the source rows that it rests on, as they landed."""
    site = _audited(request, visitor)
    with site.files.auditing(visitor.role) as reader:
        columns = _columns(reader, mart)
        row = reader.one(f"select * from marts.{mart} where rowid = ?", [n])
        if row is None:
            raise NotThereError
        publication = reader.publication
        graph = _graph(site, publication)
        keys = _keys(row, graph.described.get(f"marts.{mart}", {}).get("grain", []))
        cited = reader.rows(
            "select distinct entity, file, row_number, paragraph from marts.lineage"
            " where table_name = ? and list_contains(?, row_key)"
            f" order by all limit {_SOURCES}",
            [mart, keys],
        )
    _note(site, request, visitor, f"marts.{mart}", [row])
    places = [Place(one["entity"], one["file"], one["row_number"]) for one in cited]
    read = _landed(site, publication, list(dict.fromkeys(places)))
    people = {v for one in read.values() for k, v in one.items() if v and "iin" in k}
    if people:
        site.shows(request, visitor, "source rows", f"marts.{mart}", sorted(people))
    values = {
        "mart": mart,
        "n": n,
        "columns": columns,
        "row": row,
        "cited": [(one, read[place]) for one, place in zip(cited, places, strict=True)],
        "most": _SOURCES,
    }
    return page(request, "sources.html", values, publication=publication)


def _keys(row: dict[str, Any], grain: list[str]) -> list[str]:
    """Return what the lineage calls a row: its grain, or for people their IIN."""

    def joined(names: list[str]) -> str:
        return "|".join(str(row[name]) for name in names if row.get(name) is not None)

    found = {joined(grain), joined(sorted(grain)), str(row.get("iin", ""))}
    if row.get("iin") and row.get("list_month"):
        found.add(f"{row['iin']}|{row['list_month']}")
    for name in ("ground", "primary_ground"):
        if row.get(name):
            found.add(f"{row.get('iin')}|{row[name]}")
    return sorted(found - {""})


def _landed(
    site: Site, publication: Publication, places: list[Place]
) -> dict[Place, dict[str, str | None]]:
    """Read source rows from the landed files of a publication's run."""
    run_file = site.home.run_file(publication.run.run_id)
    with database.connect() as connection:
        database.attach(connection, run_file, "run")
        connection.execute("use run")
        try:
            return read_rows(connection, site.home, places)
        except duckdb.Error:
            raise NotThereError from None


# Differences, law, readings, the access log


@router.get("/diff")
def difference(
    request: Request,
    visitor: Viewing,
    first: Annotated[str | None, Query(pattern=r"^[0-9a-z-]{1,40}$")] = None,
    second: Annotated[str | None, Query(pattern=r"^[0-9a-z-]{1,40}$")] = None,
) -> Response:
    """Show what differs between two runs, by cause."""
    site = _audited(request, visitor)
    found = site.jobs.last(f"diff-{first}-{second}") if first and second else None
    changes = found.said.get("changes", [])[:_SOURCES] if found else []
    people = sorted({one["iin"] for one in changes if one.get("iin")})
    if people:
        site.shows(request, visitor, "diff", f"{first} {second}", people)
    values = {
        "runs": sorted(receipt_paths(site.home)),
        "first": first,
        "second": second,
        "found": found,
        "changes": changes,
        "running": site.jobs.running,
    }
    return page(request, "diff.html", values, publication=site.files.publication())


@router.post("/diff")
def compare(
    request: Request,
    visitor: Sending,
    first: Annotated[str, Form(max_length=40)],
    second: Annotated[str, Form(max_length=40)],
) -> Response:
    """Compare two runs, beside the portal."""
    site = _audited(request, visitor)
    if not {first, second} <= {*receipt_paths(site.home)}:
        raise NotThereError
    site.jobs.start(f"diff-{first}-{second}", ["diff", first, second])
    return see_other(f"/auditor/diff?first={first}&second={second}")


@router.get("/law")
def law(request: Request, visitor: Viewing) -> Response:
    """Show each paragraph: text, editions, models, tests; and the readings in force."""
    site = _audited(request, visitor)
    with site.files.auditing(visitor.role) as reader:
        graph = _graph(site, reader.publication)
        values = {
            "coverage": {
                row["paragraph"]: row
                for row in reader.rows("select * from marts.law_coverage")
            },
            "editions": _worded(
                reader,
                "select paragraphs.*, acts.number, acts.adopted_on, acts.address,"
                " acts.title_ru as act_ru, acts.title_kk as act_kk,"
                " acts.title_en as act_en from law.paragraphs"
                " left join law.acts using (act_id)"
                " order by try_cast(substr(paragraph, 2) as integer), edition",
            ),
            "models": {
                row["paragraph"]: row["models"]
                for row in reader.rows(
                    "select paragraph, list(distinct model order by model) as models"
                    " from law.rules group by paragraph"
                )
            },
            "tests": {
                name.partition(".")[2]: described["tests"]
                for name, described in graph.described.items()
            },
            "readings": reader.rows(
                "select run.policy, run.value, known.paragraph, known.rationale"
                " from facts.run_policies as run left join law.policies as known"
                " on run.policy = known.policy order by run.policy"
            ),
            "table_values": policies.policies_of_run({}),
        }
        return page(request, "law.html", values, publication=reader.publication)


def _worded(reader: Reader, editions: str) -> list[Row]:
    """Return the editions that a query gives, each with what it says."""
    return [
        {**row, "text": wording(row["act_id"], row["paragraph"])}
        for row in reader.rows(editions)
    ]


@router.get("/access")
def access(request: Request, visitor: Viewing, page_no: PageNo = 1) -> Response:
    """Show the access log, the newest entry first."""
    site = _audited(request, visitor)
    entries, total = site.log.page((page_no - 1) * _PER_PAGE, _PER_PAGE)
    values = {
        "entries": entries,
        "wrong": site.log.wrong(),
        "page_no": page_no,
        "pages": max(1, -(-total // _PER_PAGE)),
    }
    return page(request, "access.html", values, publication=site.files.publication())
