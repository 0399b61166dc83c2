"""The file of a sound run, which tests copy."""

from pathlib import Path

import pytest

from checked import execute
from result_tables import result_tables


@pytest.fixture(scope="module")
def good_result(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("result") / "run.duckdb"
    execute(file, result_tables())
    return file
