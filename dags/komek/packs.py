"""Region packs: what each region takes away after a publication.

A pack is the folder `<list_month>/<region_kato>/` with the region's recipients as
`recipients.csv`, `.parquet` and `.xlsx`, what has changed since the region's previous
publication as `changes.csv`, and a `manifest.json` that says what they are. Where what
is written is encrypted they are `recipients.parquet` and `changes.parquet` alone, under
a key of the region's own: nothing here encrypts a CSV or a workbook.
The rows of all regions are joined and ordered once, into a working file; the packs are
then written from it, a region per thread (DuckDB and zlib both let go of the GIL).
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.compute

from komek import database
from komek.database import text_literal
from komek.errors import StoppedError
from komek.workbook import (
    MAX_ROWS,
    Column,
    Sheet,
    Styles,
    Summary,
    row_sql,
    write_workbook,
)

COLUMNS = (
    Column("list_month", 11),
    Column("iin", 14),
    Column("last_name", 20),
    Column("first_name", 16),
    Column("middle_name", 20),
    Column("address", 40),
    Column("region_kato", 12),
    Column("district_kato", 13),
    Column("primary_ground", 15),
    Column("grounds", 20),
    Column("mode", 9),
    Column("set_cost", 11, is_amount=True),
    Column("allocation", 12),
    Column("contract_id", 16),
    Column("iban", 23),
    Column("amount", 11, is_amount=True),
)
# The changes come last.
FILES = ("recipients.csv", "recipients.parquet", "recipients.xlsx", "changes.csv")
ENCRYPTED_FILES = ("recipients.parquet", "changes.parquet")
MANIFEST = "manifest.json"

_NAMES = ", ".join(column.name for column in COLUMNS)
# Spreadsheets take a cell that begins so for a formula, the full-width forms too, and
# some overlook what is not seen before it. Where `;` parts the cells, as in Russian
# settings, quotes inside a line mean nothing: a cell begins after any `;`, tab, line.
_UNSEEN = r"""[\p{Zs}\p{Cf}\x00-\x08\x0B\x0C\x0E-\x1F\x7F"'']*"""
_FORMULA = rf"(^|[;\t\r\n])({_UNSEEN}[=+\-@＝＋－＠])"
_MAY_BE_FORMULA = r"[=+\-@＝＋－＠]|^[\t\r\n]"
# Past it DuckDB spills into the working folder.
_MEMORY = "2GB"
_ARROW_ROWS = 10_000
_DISTRICTLESS = "no district"


@dataclass(frozen=True)
class Origin:
    """What every pack says about the run it came from."""

    run_id: str
    official: bool
    as_of: date
    list_month: date


@dataclass(frozen=True)
class District:
    """A district of a pack; `kato` is None for recipients without one."""

    kato: str | None
    recipients: int
    amount_total: Decimal

    @property
    def name(self) -> str:
        """The district's name in manifests and on sheets."""
        return self.kato or _DISTRICTLESS


@dataclass(frozen=True)
class Pack:
    """A region's pack, amounts in tenge."""

    region_kato: str
    districts: tuple[District, ...]

    @property
    def recipients(self) -> int:
        """How many rows the pack has."""
        return sum(district.recipients for district in self.districts)

    @property
    def amount_total(self) -> Decimal:
        """What the region's sets cost together."""
        amounts = (district.amount_total for district in self.districts)
        return sum(amounts, Decimal("0.00"))


def month_folder(folder: Path, list_month: date) -> Path:
    """Return where the packs of a month lie under `folder`."""
    return folder / list_month.isoformat()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(pack: Path) -> bool:
    """Say whether a pack has its manifest and every file of it, byte for byte."""
    try:
        manifest = json.loads((pack / MANIFEST).read_text(encoding="utf-8"))
        return all(
            digest(pack / name) == file["sha256"]
            for name, file in manifest["files"].items()
        )
    except (FileNotFoundError, ValueError):
        return False


def pack_run(pack: Path) -> str:
    """Return the run a pack came from, as its manifest says."""
    return json.loads((pack / MANIFEST).read_text(encoding="utf-8"))["run_id"]


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
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        connection.execute(f"set temp_directory = {text_literal(work / 'spill')}")
        database.attach(connection, run_file, "run")
        _gather(connection)
        packs = _packs(connection)
        if database.encrypts():
            for pack in packs:
                database.add_pack_key(connection, pack.region_kato)
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
                for pack in written:
                    pack.result()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
    return packs


def _gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Join and order the rows of all published regions, numbered per district.

    `number` is the row's place in its district, from 0.
    """
    connection.execute(
        """
        create table pack_rows as
        select
            recipients.list_month,
            recipients.iin,
            people.last_name,
            people.first_name,
            people.middle_name,
            people.address,
            recipients.region_kato,
            recipients.district_kato,
            recipients.primary_ground,
            recipients.grounds,
            recipients.mode,
            recipients.set_cost,
            plan.allocation,
            plan.contract_id,
            plan.iban,
            plan.amount,
            row_number() over (
                partition by recipients.region_kato, recipients.district_kato
                order by recipients.iin, recipients.primary_ground
            ) - 1 as number
        from run.marts.food_set_recipients as recipients
        left join run.marts.delivery_plan as plan using (iin, primary_ground)
        left join run.marts.recipient_people as people using (iin)
        where recipients.region_kato in (
            select region_kato from run.marts.region_status
            where publication = 'published'
        )
        order by recipients.region_kato, recipients.district_kato nulls first, number
        """
    )


def _packs(connection: duckdb.DuckDBPyConnection) -> list[Pack]:
    """Return the packs to write, once they add up to the regions' status."""
    districts: dict[str, list[District]] = {}
    for region, kato, recipients, amount in connection.execute(
        """
        select
            region_kato,
            district_kato,
            count(*),
            coalesce(sum(amount), 0)::decimal(38, 2)
        from pack_rows
        group by region_kato, district_kato
        order by region_kato, district_kato nulls first
        """
    ).fetchall():
        district = District(kato, recipients, amount)
        districts.setdefault(region, []).append(district)
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
        pack = Pack(region, tuple(districts.get(region, ())))
        if (pack.recipients, pack.amount_total) != (recipients, amount):
            raise StoppedError(
                f"marts.region_status: the pack of region {region} has "
                f"{pack.recipients} rows and {pack.amount_total} tenge, "
                f"its status {recipients} recipients and {amount} tenge"
            )
        packs.append(pack)
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
    _write_parquet(connection, pack, folder / "recipients.parquet")
    files = ENCRYPTED_FILES if database.encrypts() else FILES
    if files == FILES:
        _write_csv(connection, pack, folder / "recipients.csv")
        _write_xlsx(connection, pack, folder / "recipients.xlsx", origin)
    changes = _write_changes(connection, pack, folder / files[-1], previous)
    rows = dict.fromkeys(files, pack.recipients) | {files[-1]: changes}
    manifest = _manifest(pack, folder, origin, previous, rows)
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _rows_of(pack: Pack) -> str:
    region = text_literal(pack.region_kato)
    return f"""
        from pack_rows where region_kato = {region}
        order by district_kato nulls first, number
    """


def _write_csv(connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path) -> None:
    """Write RFC 4180: UTF-8, a header, CRLF; formulas get a leading apostrophe."""
    harmless = ", ".join(
        column.name
        if column.is_amount
        else f"{_without_formula(f'{column.name}::varchar')} as {column.name}"
        for column in COLUMNS
    )
    connection.execute(
        f"copy (select {harmless} {_rows_of(pack)}) to {text_literal(path)} "
        r"(format csv, header, new_line '\r\n')"
    )


def _without_formula(text: str) -> str:
    """Return SQL for a text with an apostrophe before whatever would be a formula."""
    marked = rf"regexp_replace({text}, '{_FORMULA}', '\1''\2', 'g')"
    begins = rf"case when regexp_matches({text}, '^[\t\r\n]') then '''' else '' end"
    return (
        f"case when regexp_matches({text}, '{_MAY_BE_FORMULA}')"
        f" then {begins} || {marked} else {text} end"
    )


def _write_changes(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    path: Path,
    previous: Path | None,
) -> int:
    """Write who was added, removed or changed since the previous pack; say how many.

    A row per person: `iin`, `change` (added, removed, changed) and, of the changed, the
    names of the columns that did. Without a previous pack there is a header only.
    """
    options = r"(format csv, header, new_line '\r\n')"
    if path.suffix == ".parquet":
        options = database.parquet_options(pack.region_kato)
    now = f"(from pack_rows where region_kato = {text_literal(pack.region_kato)})"
    before, names = f"(from {now} limit 0)", []
    if previous is None:
        now = before
    else:
        before = database.read_parquet(
            previous / "recipients.parquet", pack.region_kato
        )
        described = connection.execute(f"describe from {before}").fetchall()
        # A pack of an older version of the project may lack a column.
        had = {name for name, *_ in described} - {"list_month", "iin"}
        names = [column.name for column in COLUMNS if column.name in had]
    # Policy one_per_ground gives a person several rows: they are compared together.
    values = "".join(
        f", list({name} order by primary_ground) as {name}" for name in names
    )
    differing = "".join(
        f", case when now.{name} is distinct from before.{name} then '{name}' end"
        for name in names
    )
    (count,) = connection.execute(
        f"""
        copy (
            with now as (select iin{values} from {now} group by iin),
            before as (select iin{values} from {before} group by iin),
            compared as (
                select
                    coalesce(now.iin, before.iin) as iin,
                    case
                        when before.iin is null then 'added'
                        when now.iin is null then 'removed'
                        else 'changed'
                    end as change,
                    concat_ws('|', ''{differing}) as differing
                from now
                full join before on now.iin = before.iin
            )
            select
                iin,
                change,
                case change when 'changed' then ltrim(differing, '|') end as columns
            from compared
            where change <> 'changed' or differing <> ''
            order by iin
        ) to {text_literal(path)} {options}
        """
    ).fetchone() or (0,)
    return count


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path
) -> None:
    connection.execute(
        f"copy (select {_NAMES} {_rows_of(pack)}) to {text_literal(path)} "
        + database.parquet_options(pack.region_kato)
    )


def _write_xlsx(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path, origin: Origin
) -> None:
    """Write a sheet per district (its staff open their own), behind a summary."""
    sheets = [
        _sheet(connection, pack, district, first)
        for district in pack.districts
        for first in range(0, district.recipients, MAX_ROWS)
    ]
    summary = Summary(
        facts=(
            ("region_kato", pack.region_kato),
            ("list_month", origin.list_month.isoformat()),
            ("as_of", origin.as_of.isoformat()),
            ("run_id", origin.run_id),
            ("official", str(origin.official).lower()),
            ("recipients", pack.recipients),
            ("amount_total", float(pack.amount_total)),
        ),
        header=("district_kato", "recipients", "amount_total"),
        table=[
            (district.name, district.recipients, float(district.amount_total))
            for district in pack.districts
        ],
    )
    write_workbook(path, summary, COLUMNS, sheets, created=origin.as_of)


def _sheet(
    connection: duckdb.DuckDBPyConnection, pack: Pack, district: District, first: int
) -> Sheet:
    """Return the sheet of a district's rows from its `first` on."""
    part = first // MAX_ROWS
    name = district.name if part == 0 else f"{district.name} ({part + 1})"
    count = min(MAX_ROWS, district.recipients - first)

    def rows_xml(styles: Styles) -> Iterator[bytes]:
        # Row 1 is the header, and a sheet's rows count from 1.
        row = f"(number - {first} + 2)::varchar as sheet_row"
        query = f"""
            select {row_sql(COLUMNS, "sheet_row", styles)}
            from (
                select *, {row} from pack_rows
                where
                    region_kato = $region
                    and district_kato is not distinct from $district
                    and number >= $first and number < $first + $count
            )
            order by number
        """
        wanted = {
            "region": pack.region_kato,
            "district": district.kato,
            "first": first,
            "count": count,
        }
        for batch in connection.execute(query, wanted).to_arrow_reader(_ARROW_ROWS):
            yield _joined(batch.column(0))

    return Sheet(name, count, rows_xml)


def _joined(texts: pyarrow.StringArray) -> bytes:
    """Return all texts of a column as one run of bytes."""
    whole = pyarrow.ListArray.from_arrays(
        pyarrow.array([0, len(texts)], pyarrow.int32()), texts
    )
    return pyarrow.compute.binary_join(whole, "")[0].as_buffer()


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
        "previous_run": pack_run(previous) if previous else None,
        "recipients": pack.recipients,
        "amount_total": str(pack.amount_total),
        "districts": {
            district.name: district.recipients for district in pack.districts
        },
        "files": {
            name: {
                "sha256": digest(folder / name),
                "bytes": (folder / name).stat().st_size,
                "rows": count,
            }
            for name, count in rows.items()
        },
    }
