"""What takes minutes: `verify` and `diff`, as commands of their own beside the portal.

One at a time; what came of each last is kept in `portal/jobs/`, for every auditor.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from komek.base.files import private_files, put
from komek.base.places import Home
from komek.portal.accounts import portal_folder


@dataclass(frozen=True)
class Outcome:
    """What came of a command: when, its exit status, and what it printed as JSON."""

    at: datetime
    exit_status: int
    said: dict[str, Any]


class Jobs:
    """The commands of a home."""

    def __init__(self, home: Home) -> None:
        """Nothing runs yet."""
        self._home = home
        self._running: str | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> str | None:
        """The name of what runs now, None where nothing does."""
        return self._running

    def start(self, name: str, arguments: Sequence[str]) -> bool:
        """Start a command, unless one is running; say whether it was started.

        Args:
            name: what its outcome is kept under.
            arguments: of `komek`, without `--home` and `--json`.
        """
        with self._lock:
            if self._running is not None:
                return False
            self._running = name
        command = [sys.executable, "-m", "komek", *arguments]
        command += ["--home", str(self._home.root), "--json"]
        threading.Thread(target=self._run, args=(name, command), daemon=True).start()
        return True

    def last(self, name: str) -> Outcome | None:
        """Return what came of a command the last time, None where it never ran."""
        try:
            kept = json.loads(self._path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Outcome(
            datetime.fromisoformat(kept["at"]), kept["exit_status"], kept["said"]
        )

    def _run(self, name: str, command: Sequence[str]) -> None:
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, check=False, encoding="utf-8"
            )
            lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
            said: dict[str, Any] = {}
            # Where it stops, the object of the error comes after its own.
            for line in lines:
                said |= json.loads(line)
            kept = {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "exit_status": ended.returncode,
                "said": said,
            }
            with private_files():
                put(self._path(name), json.dumps(kept, ensure_ascii=False).encode())
        finally:
            self._running = None

    def _path(self, name: str) -> Path:
        return portal_folder(self._home) / "jobs" / f"{name}.json"
