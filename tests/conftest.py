"""What several tests stand on: a small nation, and tools that call nobody."""

import os
from pathlib import Path

import pytest

from built_once import built_once
from called import Called, call
from komek.base.places import Home
from komek.nation import write_nation

# No tool that a test starts tells anybody that it ran.
os.environ |= {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}

# Begun first, so that both workers end together.
LONGEST = (
    "deploy/test_deployed.py",
    "pipeline/test_faults.py",
    "diff/test_diff.py",
    "dags/test_dags.py",
    "trust/test_verify.py",
    "explain/test_explain.py",
    "pipeline/test_golden.py",
    "pipeline/test_lists_over_a_month.py",
    "publishing/test_publish_faults.py",
    "pipeline/test_encryption.py",
    "pipeline/test_golden_lists.py",
    "pipeline/test_random_nations.py",
    "pipeline/test_amendment.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, each with its tests in their order."""
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def small_nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drop folder of a nation of 18,632 people; tests only read it."""
    return built_once(
        tmp_path_factory, "small_nation", lambda folder: write_nation(folder, 0.001)
    )


@pytest.fixture(scope="session")
def published_nation(
    tmp_path_factory: pytest.TempPathFactory, small_nation: Path
) -> Called:
    """The small nation decided for 20 April by the command; tests only read it."""

    def publish(folder: Path) -> None:
        called = call(folder, small_nation, "run", "--as-of", "2020-04-20")
        assert (called.status, called.stderr) == (0, "")

    folder = built_once(tmp_path_factory, "published_nation", publish)
    return Called(Home(folder / "home"), folder / "left", 0, "")


@pytest.fixture(scope="session")
def published_golden(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The golden nation decided for 20 April and published; tests only read it."""

    def publish(folder: Path) -> None:
        # Only the process that builds it needs what it is built with.
        from filed_run import APRIL_20, GOLDEN, publish_run  # noqa: PLC0415
        from komek.landing.land import land  # noqa: PLC0415
        from komek.runs.run import Request  # noqa: PLC0415

        home = Home(folder / "home")
        land(home, GOLDEN, until=APRIL_20)
        publish_run(home, Request(APRIL_20, APRIL_20, {}))

    return Home(built_once(tmp_path_factory, "published_golden", publish) / "home")
