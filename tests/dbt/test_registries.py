"""The registry table and what stands for each of its registries in the models."""

import re

from komek.base import registries
from komek.base.places import DBT_PROJECT

ENTITIES = [entity.name for entity in registries.entities()]


def test_every_registry_has_its_two_staging_models() -> None:
    staging = DBT_PROJECT / "models" / "staging"

    landed = [entity.name for entity in registries.every_entity()]
    assert {path.stem for path in staging.glob("rejected/*.sql")} == {
        f"rejected_{entity}" for entity in landed
    }
    assert {path.stem for path in staging.glob("stg_*.sql")} == {
        "stg_referenced_links",
        "stg_referenced_persons",
        "stg_spoken_of",
        *(f"stg_{entity}" for entity in landed),
    }


def test_the_models_over_all_registries_leave_none_out() -> None:
    macros = (DBT_PROJECT / "macros" / "staging" / "landed.sql").read_text(
        encoding="utf-8"
    )
    (names,) = re.findall(r"macro registry_names\(\).*?\[(.*?)\]", macros, re.DOTALL)

    assert re.findall(r"'(\w+)'", names) == ENTITIES
