"""Sources by hand: an override file, a pull from it, what has landed."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.snapshots import Snapshot, newest_snapshots
from komek.sources.pull import pull
from landed_drop import rows_of

DAY = date(2020, 4, 18)
MEMBERS = "asp_members"


class Pulls:
    """Pulls from the sources that a test gives."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = Home(folder / "home")
        self.said: list[str] = []
        self._file = folder / "sources.yml"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("KOMEK_SOURCES", str(self._file))
        monkeypatch.setenv("KOMEK_DROP", str(folder / "drop"))
        (folder / "drop").mkdir()
        # Waiting is not what is tested.
        monkeypatch.setattr("komek.sources.again._FIRST_SECONDS", 0.001)

    def connect(self, name: str, url: str) -> None:
        self._monkeypatch.setenv(f"KOMEK_CONN_{name.upper()}", url)

    def write(self, **entries: object) -> None:
        self._file.write_text(yaml.safe_dump(entries, allow_unicode=True))

    def pull(self, day: date = DAY, **entries: object) -> list[Snapshot]:
        self.write(**entries)
        self.said = []
        return pull(self.home, [*entries], day=day, say=self.said.append)

    def refused(self, day: date = DAY, **entries: object) -> str:
        """Return why all is refused, having seen that nothing has landed."""
        before = {name: newest_snapshots(self.home, name) for name in entries}
        with pytest.raises(StoppedError) as stopped:
            self.pull(day, **entries)
        assert {name: newest_snapshots(self.home, name) for name in entries} == before
        for name in entries:
            assert not (self.home.entity(name) / ".landing").exists()
        return str(stopped.value)

    def rows(self, entity: str = MEMBERS) -> list[tuple]:
        return rows_of(newest_snapshots(self.home, entity)[-1])
