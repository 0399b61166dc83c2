"""What a run imports and reads once, for processes that are forked from one that has.

See warm.py: its server imports this.
"""

import tempfile
from pathlib import Path

import holidays  # noqa: F401  (what steps import when they begin)
from dbt.adapters.duckdb import connections  # noqa: F401

from komek.checks import gx  # noqa: F401
from komek.runs.parsed import parsed
from komek.runs.version import code_version

code_version()
with tempfile.TemporaryDirectory() as folder:
    parsed(Path(folder))
# Whoever is forked may be told of another.
tempfile.tempdir = None
