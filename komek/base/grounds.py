"""The grounds of p25, which dbt's project file lists for models and Python alike."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from komek.base import places


def models() -> Mapping[str, str]:
    """Return the code of each ground and the model that judges it, in list order."""
    return _listed(places.DBT_PROJECT / "dbt_project.yml")


@cache
def _listed(project_file: Path) -> Mapping[str, str]:
    listed = yaml.safe_load(project_file.read_text(encoding="utf-8"))["vars"]["grounds"]
    return MappingProxyType({entry["ground"]: entry["model"] for entry in listed})


def codes() -> tuple[str, ...]:
    """Return the codes of the grounds, in list order."""
    return tuple(models())
