"""Runs that ended before their time: told until a run of the same day is filed."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from komek.base.files import private_files, put
from komek.base.places import Home
from komek.runs.run import Request

_FOLDER = "stopped"


@dataclass(frozen=True)
class Stop:
    """What stopped the last run of a day.

    Attributes:
        as_of: the day decided for.
        known_at: the last day whose records counted.
        run_id: the run; None where it had no name yet.
        reason: what stopped it, without personal data; None: it was interrupted.
        at: when.
    """

    as_of: date
    known_at: date
    run_id: str | None
    reason: str | None
    at: datetime


def note_stop(
    home: Home, request: Request, run_id: str | None, reason: str | None
) -> None:
    """Keep what stopped a run."""
    said = {
        "known_at": request.known_at.isoformat(),
        "run_id": run_id,
        "reason": reason,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with private_files():
        text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
        put(_path(home, request.as_of), text.encode())


def forget_stop(home: Home, as_of: date) -> None:
    """Forget what stopped a day's run: one has been filed."""
    _path(home, as_of).unlink(missing_ok=True)


def stops(home: Home) -> list[Stop]:
    """Return what stopped the last run of each day that none was filed of since."""
    found = []
    for path in sorted((home.days / _FOLDER).glob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            found.append(
                Stop(
                    as_of=date.fromisoformat(path.stem),
                    known_at=date.fromisoformat(said["known_at"]),
                    run_id=said["run_id"],
                    reason=said["reason"],
                    at=datetime.fromisoformat(said["at"]),
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _path(home: Home, as_of: date) -> Path:
    return home.days / _FOLDER / f"{as_of}.json"
