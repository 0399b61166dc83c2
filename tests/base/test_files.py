import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from komek.base.files import put
from komek.base.places import Home
from komek.landing import working_days
from komek.landing.working_days import land_working_days


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file be written past a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    put(path, b"old")
    with full_disk(10), pytest.raises(OSError, match="File too large"):
        put(path, b"n" * 20)
    assert path.read_bytes() == b"old"
    put(path, b"n" * 20)
    assert path.read_bytes() == b"n" * 20


def test_a_calendar_that_found_the_disk_full_is_landed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    monkeypatch.setattr(
        working_days, "_write_calendar", lambda path: path.write_bytes(b"days")
    )
    with full_disk(10), pytest.raises(OSError, match="File too large"):
        land_working_days(home)
    landed = land_working_days(home)
    assert landed.path.read_bytes() == b"days"
