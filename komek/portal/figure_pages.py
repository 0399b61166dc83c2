"""The ministry's page: the country by region, ground and mode; no person anywhere."""

import csv
from datetime import date
from decimal import Decimal
from functools import cache

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from komek.base.places import MARGINALS
from komek.portal.charts import Tile, tile_map
from komek.portal.files import Reader, Row
from komek.portal.language import Language
from komek.portal.region_pages import month_of, names_of
from komek.portal.roles import Role
from komek.portal.site import site_of
from komek.portal.web import Viewing, language_of, page
from komek.publishing.role_files import MINISTRY

router = APIRouter(include_in_schema=False)
# What was published of the month, by the name that the table of figures has for it.
_PUBLISHED = {date(2020, 4, 1): "sets_april"}
_SUMS = (
    "coalesce(sum(people), 0)::bigint as people,"
    " coalesce(sum(sets), 0)::bigint as sets,"
    " coalesce(sum(amount), 0) as amount,"
    " (coalesce(sum(sets) filter (where delivery_status = 'delivered'), 0))::bigint"
    " as delivered"
)
_LISTED = "list_month = ? and list_no is not null"


@router.get("/ministry")
def country(request: Request, visitor: Viewing) -> Response:
    """Show the country: a tile map, the figures by region, and the months."""
    site, lang = site_of(request), language_of(request)
    with site.files.reading(visitor.role, MINISTRY) as reader:
        month = month_of(reader)
        regions = _regions(reader, month)
        names = names_of(reader)
        values = {
            "month": month,
            "names": names,
            "regions": regions,
            "map": _map(regions, names, lang, visitor.role),
            "total": reader.figure(
                f"select {_SUMS} from cells where {_LISTED}", [month]
            ),
            "grounds": reader.figures(
                f"select primary_ground, region_kato, mode, {_SUMS} from cells"
                f" where {_LISTED} group by all"
                " order by primary_ground, region_kato, mode",
                [month],
            ),
            "by_ground": reader.figures(
                f"select primary_ground, {_SUMS} from cells where {_LISTED}"
                " group by all order by primary_ground",
                [month],
            ),
            "by_mode": reader.figures(
                f"select mode, {_SUMS} from cells where {_LISTED} group by all"
                " order by mode nulls last",
                [month],
            ),
            "months": reader.figures(
                "select list_month, sum(listed)::bigint as listed,"
                " sum(ended)::bigint as ended, sum(sets)::bigint as sets,"
                " sum(delivered)::bigint as delivered,"
                " sum(outstanding)::bigint as outstanding,"
                " sum(amount_delivered) as amount_delivered"
                " from list_reconciliation group by all order by list_month desc"
            ),
            "published": published_figure(month),
            "deadlines": reader.figures(
                "select case_kind, step, paragraph,"
                " (sum(cases) filter (where status = 'met'))::bigint as met,"
                " (sum(cases) filter (where status = 'late'))::bigint as late,"
                " (sum(cases) filter (where status = 'open'))::bigint as open,"
                " (sum(cases) filter (where status = 'overdue'))::bigint as overdue"
                " from deadlines group by all order by case_kind, paragraph, step"
            ),
        }
        return page(request, "ministry.html", values, publication=reader.publication)


def _regions(reader: Reader, month: date | None) -> list[Row]:
    """Return every region: as listed, in people, tenge and delivered sets."""
    return reader.figures(
        f"""
        select
            regions.region_kato,
            regions.publication,
            regions.blocked_by,
            regions.recipients,
            regions.norm_cost,
            coalesce(listed.people, 0) as people,
            coalesce(listed.sets, 0) as sets,
            coalesce(listed.amount, 0) as amount,
            coalesce(listed.delivered, 0) as delivered,
            (
                select max(list_no) from lists
                where
                    lists.region_kato = regions.region_kato
                    and lists.list_month = $1
            ) as last_list
        from region_status as regions
        left join (
            select region_kato, {_SUMS} from cells
            where list_month = $1 and list_no is not null
            group by region_kato
        ) as listed using (region_kato)
        order by regions.region_kato
        """,
        [month],
    )


def _map(
    regions: list[Row], names: dict[str, Row], lang: Language, role: Role
) -> object:
    tiles = [
        Tile(
            row["region_kato"],
            _short(lang.name(names.get(row["region_kato"]))),
            lang.number(row["people"]),
            row["delivered"] / row["sets"] if row["sets"] else 0.0,
            row["publication"] == "blocked",
            # An auditor goes on to the region; the ministry to its line of figures.
            f"/regions/{row['region_kato']}"
            if role.sees_everything
            else f"#r{row['region_kato']}",
        )
        for row in regions
        if row["region_kato"].isdigit()
    ]
    return tile_map(tiles, lang.text("The country by region"))


def _short(name: str) -> str:
    """Return a region's name as a tile has room for it."""
    for word in ("область", "облысы", "город", "қаласы"):
        name = name.replace(word, "")
    name = " ".join(name.split())
    return name if len(name) <= 14 else f"{name[:13]}…"


@cache
def _figures() -> dict[str, tuple[Decimal, str]]:
    with (MARGINALS / "figures.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: (Decimal(row["value"]), row["source"])
            for row in csv.DictReader(file)
            if row["kind"] == "published" and row["value"].isdigit()
        }


def published_figure(month: date | None) -> tuple[Decimal, str] | None:
    """Return how many sets were published for a month, and where; None if not known."""
    if month not in _PUBLISHED or month is None:
        return None
    return _figures().get(_PUBLISHED[month])
