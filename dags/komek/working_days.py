"""Kazakhstan's working-day calendar as a reference snapshot of the `holidays` package.

It is landed once per version of the package, so that a run's receipt can name the very
days it counted with.
"""

import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from komek.law import content_sha256
from komek.places import Home

COUNTRY = "KZ"


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
    import holidays  # noqa: PLC0415  (slow, and needed only here)

    folder = home.entity("working_days") / f"holidays-{holidays.__version__}"
    path = folder / "days.parquet"
    manifest = folder / "manifest.json"
    if not manifest.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = folder / f"days.{os.getpid()}.partial"
        _write_calendar(partial)
        partial.rename(path)
        described = {
            "entity": "working_days",
            "source": f"holidays {holidays.__version__}, country {COUNTRY}",
            "sha256": content_sha256([path], folder),
        }
        manifest.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    sha256 = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    return WorkingDays(holidays.__version__, path, sha256)


def _write_calendar(path: Path) -> None:
    import holidays  # noqa: PLC0415
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
