"""What the tests of publications stand on."""

from pathlib import Path

import pytest

from komek.base.places import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
