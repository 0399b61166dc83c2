"""Kazakhstan's working-day calendar as a reference snapshot of the `holidays` package.

It is landed once per version of the package, so that a run's receipt can name the very
days it counted with.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

from komek.base.errors import StoppedError
from komek.base.files import files_sha256, put
from komek.base.places import Home
from komek.landing.manifest import MANIFEST

COUNTRY = "KZ"
DAYS = "days.parquet"


@dataclass(frozen=True)
class WorkingDays:
    """A landed calendar: its package version, Parquet file and that file's hash."""

    version: str
    path: Path
    sha256: str


def land_working_days(home: Home) -> WorkingDays:
    """Land the calendar of the installed package, if it is not there yet.

    The Parquet file has one row per day of the years the package covers:
    `calendar_on` DATE, `is_working` BOOLEAN (working Sundays, transferred days).
    """
    installed = version("holidays")
    folder = calendar_folder(home, installed)
    path = folder / DAYS
    manifest = folder / MANIFEST
    if not manifest.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = folder / "days.partial"
        _write_calendar(partial)
        partial.rename(path)
        described = {
            "entity": "working_days",
            "source": f"holidays {installed}, country {COUNTRY}",
            "sha256": files_sha256([path], folder),
        }
        # Whole or not at all: a calendar that has a manifest is not landed again.
        put(manifest, (json.dumps(described, indent=2) + "\n").encode())
    return landed_working_days(home, installed)


def landed_working_days(home: Home, version: str) -> WorkingDays:
    """Return the calendar that landed with a version of the package.

    Raises:
        StoppedError: it is not there, or not as it landed.
    """
    folder = calendar_folder(home, version)
    path = folder / DAYS
    try:
        described = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sha256 = files_sha256([path], folder)
    except (OSError, ValueError):
        raise StoppedError(
            f"working_days: the calendar of holidays {version} cannot be read"
        ) from None
    if sha256 != described.get("sha256"):
        raise StoppedError(f"landed files are not what their manifest says: {path}")
    return WorkingDays(version, path, sha256)


def calendar_folder(home: Home, version: str) -> Path:
    """Return where the calendar of a version of the package lands."""
    return home.entity("working_days") / f"holidays-{version}"


def _write_calendar(path: Path) -> None:
    import holidays  # noqa: PLC0415  (slow, and needed only here)
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    kind = type(holidays.country_holidays(COUNTRY))
    first, last = date(kind.start_year, 1, 1), date(kind.end_year, 12, 31)
    calendar = holidays.country_holidays(
        COUNTRY, years=range(first.year, last.year + 1)
    )
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    table = pa.table(
        {
            "calendar_on": pa.array(days, pa.date32()),
            "is_working": pa.array([calendar.is_working_day(day) for day in days]),
        }
    )
    pq.write_table(table, path)
    path.chmod(0o600)
