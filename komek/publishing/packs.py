"""Region packs: what each region takes away after a publication.

A pack is the folder `<list_month>/<region_kato>/` with the region's lists of the month
so far (p26: who has ended stays on them) as `recipients.csv`, `.parquet` and `.xlsx`,
what was found of its contracts as `contracts.csv`, what has changed since the region's
previous publication as `changes.csv`, and a `manifest.json` that says what they are.
Where what is written is encrypted they are `.parquet` alone, under a key of the
region's own: nothing here encrypts a CSV or a workbook.
The packs are written from rows that are joined and ordered once (listed_rows), a region
per thread (DuckDB and zlib both let go of the GIL).
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from komek.base import database
from komek.base.errors import StoppedError
from komek.base.files import sha256
from komek.base.side_by_side import side_by_side
from komek.publishing.listed import ListOfMonth, lists_by_region
from komek.publishing.pack_changes import find_changes, write_changes
from komek.publishing.pack_files import (
    ENCRYPTED_FILES,
    FILES,
    District,
    Origin,
    Pack,
    Place,
    Settlement,
    add_pack_key,
    write_contracts,
    write_csv,
    write_parquet,
)
from komek.publishing.pack_rows import cut_cells, lay_out
from komek.publishing.pack_workbook import write_xlsx

PACK_MANIFEST = "manifest.json"


def month_folder(folder: Path, list_month: date) -> Path:
    """Return where the packs of a month lie under `folder`."""
    return folder / list_month.isoformat()


def is_whole(pack: Path) -> bool:
    """Say whether a pack has its manifest and every file of it, byte for byte."""
    try:
        manifest = json.loads((pack / PACK_MANIFEST).read_text(encoding="utf-8"))
        return all(
            sha256(pack / name) == file["sha256"]
            for name, file in manifest["files"].items()
        )
    except (FileNotFoundError, ValueError):
        return False


def pack_run(pack: Path) -> str:
    """Return the run a pack came from, as its manifest says."""
    manifest = json.loads((pack / PACK_MANIFEST).read_text(encoding="utf-8"))
    return str(manifest["run_id"])


def write_packs(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    origin: Origin,
    previous: Path | None = None,
) -> list[Pack]:
    """Write the packs of a run's published regions.

    Args:
        connection: of the working file of `listed_rows.gathered`.
        folder: gets `<list_month>/<region_kato>/` per region; the month is new in it.
        origin: what the packs say about their run.
        previous: the folder of the packs published before, by list month and region;
            None where there are none. A pack that is damaged is taken for none.

    Returns:
        The packs in order of region.

    Raises:
        StoppedError: the rows do not add up to `marts.list_reconciliation`, or carry a
            region or district that is no KATO code.
        OSError, duckdb.Error: a file cannot be written.
    """
    month = month_folder(folder, origin.list_month)
    lay_out(connection)
    packs = _packs(connection, origin.list_month)
    if database.encrypts():
        for pack in packs:
            add_pack_key(connection, pack.region_kato)

    def write(cursor: duckdb.DuckDBPyConnection, pack: Pack) -> None:
        before = _previous(previous, pack, origin)
        _write_pack(cursor, pack, month / pack.region_kato, origin, before)

    side_by_side(connection, write, packs)
    return packs


def _packs(connection: duckdb.DuckDBPyConnection, list_month: date) -> list[Pack]:
    """Return the packs to write, once they add up to the month's settlement."""
    districts, lists = _districts(connection), _lists(connection, list_month)
    settlements, texts = _settlements(connection), _texts(connection)
    packs = []
    for *place, recipients, norm_cost, findings in connection.execute(
        """
        select
            regions.region_kato,
            places.name_ru,
            places.name_kk,
            regions.recipients,
            regions.norm_cost,
            (
                select count(*) from run.marts.contract_findings as findings
                where findings.region_kato = regions.region_kato
            )
        from run.marts.region_status as regions
        left join run.facts.territories as places
            on regions.region_kato = places.kato
        where regions.publication = 'published'
        order by regions.region_kato
        """
    ).fetchall():
        region = Place(*place)
        longest, odd = texts.get(region.name, (0, False))
        pack = Pack(
            region,
            recipients,
            tuple(districts.get(region.name, ())),
            lists=tuple(lists.get(region.name, ())),
            settlements=tuple(settlements.get(region.name, ())),
            contract_findings=findings,
            longest_row=longest,
            has_commands=odd,
        )
        _check_sums(pack, list_month, norm_cost)
        cut = cut_cells(connection, pack.first, pack.end) if longest else 0
        packs.append(replace(pack, cut_cells=cut))
    return packs


def _districts(connection: duckdb.DuckDBPyConnection) -> dict[str, list[District]]:
    """Return the districts of each region, as listed, in order."""
    found: dict[str, list[District]] = defaultdict(list)
    for region, *place, rows, amount, first in connection.execute(
        """
        select
            pack_rows.region_kato,
            pack_rows.district_kato,
            min(places.name_ru),
            min(places.name_kk),
            count(*),
            coalesce(sum(pack_rows.amount), 0)::decimal(38, 2),
            min(pack_rows.place)
        from pack_rows
        left join run.facts.territories as places
            on pack_rows.district_kato = places.kato
        group by pack_rows.region_kato, pack_rows.district_kato
        order by pack_rows.region_kato, pack_rows.district_kato nulls first
        """
    ).fetchall():
        district = District(Place(*place), rows, amount, first)
        _check_codes(region, district)
        found[region].append(district)
    return found


def _lists(
    connection: duckdb.DuckDBPyConnection, list_month: date
) -> dict[str, list[ListOfMonth]]:
    """Return the lists of the month, of each region."""
    found: dict[str, list[ListOfMonth]] = defaultdict(list)
    for one in lists_by_region(connection, "run"):
        if one.list_month == list_month:
            found[one.region_kato].append(one)
    return found


def _settlements(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, list[Settlement]]:
    """Return the months of each region's lists, settled on the run's day."""
    found: dict[str, list[Settlement]] = defaultdict(list)
    names = ", ".join(field.name for field in fields(Settlement))
    for region, *month in connection.execute(
        f"select region_kato, {names} from run.marts.list_reconciliation"
        " order by region_kato, list_month"
    ).fetchall():
        found[region].append(Settlement(*month))
    return found


def _texts(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, bool]]:
    """Return of each region how long texts get, and whether any has commands."""
    rows = connection.execute(
        "select region_kato, max(long_bytes), bool_or(has_commands)"
        " from pack_rows group by region_kato"
    ).fetchall()
    return {region: (longest, odd) for region, longest, odd in rows}


def _check_sums(pack: Pack, list_month: date, norm_cost: Decimal) -> None:
    """Refuse a pack that is not what the month's settlement counts."""
    settled = [one for one in pack.settlements if one.list_month == list_month]
    sets = sum(one.sets for one in settled)
    amount = (sets - sum(one.withdrawn for one in settled)) * norm_cost
    if (pack.rows, pack.amount_total) != (sets, amount):
        raise StoppedError(
            f"marts.list_reconciliation: the pack of region {pack.region_kato} has "
            f"{pack.rows} rows and {pack.amount_total} tenge, its month {sets} sets "
            f"and {amount} tenge"
        )


def _check_codes(region: str, district: District) -> None:
    """Refuse what is no KATO code: it would name a folder and a sheet."""
    kato = district.place.kato
    codes = [region, *([] if kato is None else [kato])]
    if not all(re.fullmatch(r"\d{9}", code, re.ASCII) for code in codes):
        raise StoppedError(
            "marts.food_set_lists: region_kato or district_kato is no KATO code "
            f"in {district.rows} rows"
        )


def _previous(packs: Path | None, pack: Pack, origin: Origin) -> Path | None:
    """Return the region's pack of the same list month published before."""
    if packs is None:
        return None
    before = month_folder(packs, origin.list_month) / pack.region_kato
    return before if is_whole(before) else None


def _write_pack(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    folder: Path,
    origin: Origin,
    previous: Path | None,
) -> None:
    folder.mkdir(parents=True)
    write_parquet(connection, pack, folder / "recipients.parquet")
    changes = find_changes(connection, pack, previous)
    files = ENCRYPTED_FILES if database.encrypts() else FILES
    if files == FILES:
        write_csv(connection, pack, folder / "recipients.csv")
        write_xlsx(connection, pack, folder / "recipients.xlsx", origin)
    *_, contracts, changed = files
    write_contracts(connection, pack, folder / contracts)
    write_changes(connection, pack, folder / changed)
    rows = dict.fromkeys(files, pack.rows)
    rows |= {contracts: pack.contract_findings, changed: changes}
    manifest = _manifest(pack, folder, origin, previous, rows)
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (folder / PACK_MANIFEST).write_text(text, encoding="utf-8")


def _manifest(
    pack: Pack,
    folder: Path,
    origin: Origin,
    previous: Path | None,
    rows: Mapping[str, int],
) -> dict[str, object]:
    """Return what a pack says of itself; `rows` are those of each of its files."""
    return {
        "run_id": origin.run_id,
        "official": origin.official,
        "as_of": origin.as_of.isoformat(),
        "list_month": origin.list_month.isoformat(),
        "region_kato": pack.region_kato,
        "chain_head": asdict(head) if (head := origin.chain_head) else None,
        "previous_run": pack_run(previous) if previous else None,
        # On the day, who lives here, wherever they were listed.
        "recipients": pack.recipients,
        "sets": pack.rows,
        "amount_total": str(pack.amount_total),
        "districts": {
            district.place.name: district.rows for district in pack.districts
        },
        "lists": [_plain(one, without="region_kato") for one in pack.lists],
        "settlement": [_plain(month) for month in pack.settlements],
        "files": {
            name: {
                "sha256": sha256(folder / name),
                "bytes": (folder / name).stat().st_size,
                "rows": count,
                **({"cut_cells": cut} if (cut := _cut(name, pack)) else {}),
            }
            for name, count in rows.items()
        },
    }


def _plain(counted: ListOfMonth | Settlement, without: str = "") -> dict[str, object]:
    """Return counts as JSON has them: dates and amounts as text."""
    return {
        name: value if isinstance(value, int) else str(value)
        for name, value in asdict(counted).items()
        if name != without
    }


def _cut(name: str, pack: Pack) -> int:
    """Return how many cells of a file are shorter than what the others have."""
    return pack.cut_cells if name.endswith(".xlsx") else 0
