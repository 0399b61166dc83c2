"""The grounds of p25, which dbt's project file lists for models and Python alike."""

import yaml

from komek.base import places


def models() -> dict[str, str]:
    """Return the code of each ground and the model that judges it, in list order."""
    text = (places.DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    listed = yaml.safe_load(text)["vars"]["grounds"]
    return {entry["ground"]: entry["model"] for entry in listed}


def codes() -> tuple[str, ...]:
    """Return the codes of the grounds, in list order."""
    return tuple(models())
