"""Region packs: what each region takes away after a publication.

A pack is the folder `<list_month>/<region_kato>/` with the region's recipients as
`recipients.csv`, `.parquet` and `.xlsx`, what has changed since the region's previous
publication as `changes.csv`, and a `manifest.json` that says what they are. Where what
is written is encrypted they are `recipients.parquet` and `changes.parquet` alone, under
a key of the region's own: nothing here encrypts a CSV or a workbook.
The rows of all regions are joined and ordered once, into a working file; the packs are
then written from it, a region per thread (DuckDB and zlib both let go of the GIL).
"""

import json
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import duckdb

from komek.base import database
from komek.base.errors import StoppedError
from komek.base.files import sha256
from komek.publishing.pack_changes import write_changes
from komek.publishing.pack_files import (
    ENCRYPTED_FILES,
    FILES,
    District,
    Origin,
    Pack,
    add_pack_key,
    write_csv,
    write_parquet,
    write_xlsx,
)
from komek.publishing.pack_rows import cut_cells, gather

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
    run_file: Path,
    folder: Path,
    work: Path,
    origin: Origin,
    previous: Path | None = None,
) -> list[Pack]:
    """Write the packs of a run's published regions.

    Args:
        run_file: the finished run's DuckDB file.
        folder: gets `<list_month>/<region_kato>/` per region; the month is new in it.
        work: an empty folder for working files and spills (as large as the packs' rows
            at most); the caller removes it.
        origin: what the packs say about their run.
        previous: the folder of the packs published before, by list month and region;
            None where there are none. A pack that is damaged is taken for none.

    Returns:
        The packs in order of region.

    Raises:
        StoppedError: the rows do not add up to `marts.region_status`, or carry a
            region or district that is no KATO code.
        OSError, duckdb.Error: a file cannot be written.
    """
    month = month_folder(folder, origin.list_month)
    with database.connect(work / "packs.duckdb") as connection:
        database.attach(connection, run_file, "run")
        gather(connection)
        packs = _packs(connection)
        if database.encrypts():
            for pack in packs:
                add_pack_key(connection, pack.region_kato)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
            written = [
                threads.submit(
                    _write_pack,
                    database.cursor(connection),
                    pack,
                    month / pack.region_kato,
                    origin,
                    _previous(previous, pack, origin),
                )
                for pack in packs
            ]
            try:
                for future in written:
                    future.result()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
    return packs


def _packs(connection: duckdb.DuckDBPyConnection) -> list[Pack]:
    """Return the packs to write, once they add up to the regions' status."""
    districts: dict[str, list[District]] = {}
    longest_rows: dict[str, int] = {}
    with_commands: set[str] = set()
    for region, kato, recipients, amount, first, longest, odd in connection.execute(
        """
        select
            region_kato,
            district_kato,
            count(*),
            coalesce(sum(amount), 0)::decimal(38, 2),
            min(place),
            max(long_bytes),
            bool_or(has_commands)
        from pack_rows
        group by region_kato, district_kato
        order by region_kato, district_kato nulls first
        """
    ).fetchall():
        district = District(kato, recipients, amount, first)
        districts.setdefault(region, []).append(district)
        longest_rows[region] = max(longest, longest_rows.get(region, 0))
        with_commands |= {region} if odd else set()
        _check_codes(region, district)
    published = connection.execute(
        """
        select region_kato, recipients, amount_total from run.marts.region_status
        where publication = 'published'
        order by region_kato
        """
    ).fetchall()
    packs = []
    for region, recipients, amount in published:
        longest = longest_rows.get(region, 0)
        pack = Pack(
            region,
            tuple(districts.get(region, ())),
            longest_row=longest,
            has_commands=region in with_commands,
        )
        if (pack.recipients, pack.amount_total) != (recipients, amount):
            raise StoppedError(
                f"marts.region_status: the pack of region {region} has "
                f"{pack.recipients} rows and {pack.amount_total} tenge, "
                f"its status {recipients} recipients and {amount} tenge"
            )
        cut = cut_cells(connection, pack.first, pack.end) if longest else 0
        packs.append(replace(pack, cut_cells=cut))
    return packs


def _check_codes(region: str, district: District) -> None:
    """Refuse what is no KATO code: it would name a folder and a sheet."""
    codes = [region, *([] if district.kato is None else [district.kato])]
    if not all(re.fullmatch(r"\d{9}", code, re.ASCII) for code in codes):
        raise StoppedError(
            "marts.food_set_recipients: region_kato or district_kato is no KATO code "
            f"in {district.recipients} rows"
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
    files = ENCRYPTED_FILES if database.encrypts() else FILES
    if files == FILES:
        write_csv(connection, pack, folder / "recipients.csv")
        write_xlsx(connection, pack, folder / "recipients.xlsx", origin)
    changes = write_changes(connection, pack, folder / files[-1], previous)
    rows = dict.fromkeys(files, pack.recipients) | {files[-1]: changes}
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
        "recipients": pack.recipients,
        "amount_total": str(pack.amount_total),
        "districts": {
            district.name: district.recipients for district in pack.districts
        },
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


def _cut(name: str, pack: Pack) -> int:
    """Return how many cells of a file are shorter than what the others have."""
    return pack.cut_cells if name.endswith(".xlsx") else 0
