"""What several tests stand on: a small nation, and tools that call nobody."""

import os
from pathlib import Path

import pytest

from komek.nation import write_nation

# No tool that a test starts tells anybody that it ran.
os.environ |= {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


@pytest.fixture(scope="session")
def small_nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drop folder of a nation of 18,632 people; tests only read it."""
    folder = tmp_path_factory.mktemp("small_nation") / "drop"
    write_nation(folder, 0.001)
    return folder
