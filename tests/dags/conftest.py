"""Airflow, imported here, has a home of its own: it reads its settings at import."""

import os
import tempfile

_HOME = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ["AIRFLOW_HOME"] = _HOME.name
