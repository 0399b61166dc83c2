"""Registries as staging leaves them, by hand: good ones, and what breaks each check."""

from collections.abc import Iterable

from checked import Breaks
from komek.base import registries

ROWS = 1200


def accepted_value(entity: registries.Entity, column: registries.Column) -> str:
    if column.name == "kato" and entity.name != "kato":
        return "'110000000'"
    return {
        "iin": "'9001013' || lpad(i::varchar, 5, '0')",
        "identifier": "lpad(i::varchar, 9, '0')",
        "text": "'Ахметов'",
        "code": f"'{next(iter(column.codes), '')}'",
        "date": "date '1990-01-01'",
        "amount": "1.00::decimal(18, 2)",
        "integer": "1::bigint",
    }[column.type]


def door_tables() -> Iterable[str]:
    yield "create schema landing"
    yield "create schema staging"
    yield (
        "create table staging.registry_profile (entity varchar, age_days bigint, "
        "rows_received bigint, rows_accepted bigint, rows_quarantined bigint, "
        "rows_duplicate bigint, previous_rows bigint, missing_columns varchar, "
        "extra_columns varchar, numeric_identifiers varchar, "
        "rows_without_person bigint, rows_in_future bigint)"
    )
    for entity in registries.every_entity():
        values = ", ".join(
            f"{accepted_value(entity, column)} as {column.name}"
            for column in entity.columns
        )
        yield (
            f"create table landing.{entity.name} as "
            f"select i as source_row, false as malformed, {values} from range(1) t(i)"
        )
        yield (
            f"create table staging.stg_{entity.name} as "
            f"select i as source_row, {values} from range({ROWS}) t(i)"
        )
        if entity.internal:
            # komek landed it itself: nobody profiles it.
            yield f"create table staging.rejected_{entity.name} (source_row bigint)"
            continue
        without_person = 0 if entity.iin_column else "null"
        yield (
            f"insert into staging.registry_profile values ('{entity.name}', 1, {ROWS}, "
            f"{ROWS}, 0, 0, {ROWS}, '', '', '', {without_person}, 0)"
        )


def profile(entity: str, **columns: object) -> str:
    values = ", ".join(
        f"{name} = {value if value == 'null' else repr(value)}"
        for name, value in columns.items()
    )
    return f"update staging.registry_profile set {values} where entity = '{entity}'"


DOOR_BREAKS: Breaks = {
    ("persons", "columns_landed"): "alter table landing.persons drop column address",
    ("persons", "columns_received"): profile("persons", missing_columns="address"),
    ("persons", "iin_agrees_with_register"): (
        "update staging.stg_persons set sex = 'F' where source_row < 7"
    ),
    ("family_links", "snapshot_profiled"): (
        "delete from staging.registry_profile where entity = 'family_links'"
    ),
    ("asp_awards", "profile_complete"): profile("asp_awards", age_days="null"),
    ("asp_members", "award_is_known"): (
        "update staging.stg_asp_members set award_id = 'x' where source_row = 1"
    ),
    ("disability_terms", "identifiers_are_text"): profile(
        "disability_terms", numeric_identifiers="iin"
    ),
    ("institution_stays", "no_unknown_columns"): profile(
        "institution_stays", extra_columns="note"
    ),
    ("jobseekers", "rows_accounted_for"): (
        "delete from staging.stg_jobseekers where source_row = 5"
    ),
    ("benefit_awards", "carer_has_a_child"): (
        "update staging.stg_benefit_awards set benefit = 'child_carer_allowance', "
        "dependant_iin = null where source_row < 3"
    ),
    ("benefit_payments", "award_is_known"): (
        "update staging.stg_benefit_payments set award_id = 'x' where source_row = 1"
    ),
    ("benefit_payments", "previous_not_empty"): profile(
        "benefit_payments", previous_rows=0
    ),
    ("applications", "key_is_unique"): (
        "update staging.stg_applications set application_id = '000000001' "
        "where source_row < 4"
    ),
    ("food_set_norms", "norm_is_of_a_region"): (
        "update staging.stg_food_set_norms set kato = '110100000' where source_row = 1"
    ),
    ("supply_contracts", "contract_is_of_a_region"): (
        "update staging.stg_supply_contracts set kato = '110100000' "
        "where source_row = 1"
    ),
    ("deliveries", "contract_is_known"): (
        "update staging.stg_deliveries set contract_id = 'x' where source_row = 1"
    ),
    ("bank_accounts", "rows_in_future"): profile("bank_accounts", rows_in_future=3),
    ("lists", "nothing_quarantined"): "insert into staging.rejected_lists values (7)",
    ("lists", "columns_landed"): "alter table landing.lists drop column grounds",
    ("lists", "key_is_unique"): (
        "update staging.stg_lists set iin = '900101300001' where source_row < 2"
    ),
    ("kato", "regions_classified"): (
        "update staging.stg_kato set kato = '1' || substring(kato, 3, 7) || '1'"
    ),
}
# Tolerances: what a snapshot may be, and what it may not.
TOLERATED = (
    profile("asp_awards", age_days=35),
    "delete from staging.stg_asp_members where source_row < 60",
    profile("asp_members", rows_quarantined=60, rows_accepted=ROWS - 60),
    profile("jobseekers", previous_rows=1500),
    profile("applications", rows_without_person=60),
    profile("persons", previous_rows="null"),
)
NOT_TOLERATED = {
    ("asp_awards", "age_in_days"): (profile("asp_awards", age_days=36),),
    ("asp_members", "quarantined_share"): (
        "delete from staging.stg_asp_members where source_row < 61",
        profile("asp_members", rows_quarantined=61, rows_accepted=ROWS - 61),
    ),
    ("jobseekers", "volume_change"): (profile("jobseekers", previous_rows=1501),),
    ("applications", "share_without_person"): (
        profile("applications", rows_without_person=61),
    ),
}
# A registry that is not there for all that was delivered: nothing passes over it.
NOTHING_LEFT = {
    ("persons", "not_empty"): (
        "delete from staging.stg_persons",
        profile("persons", rows_received=0, rows_accepted=0, previous_rows="null"),
    ),
    ("kato", "not_empty"): (
        "delete from staging.stg_kato",
        profile("kato", rows_received=0, rows_accepted=0, previous_rows="null"),
    ),
    ("bank_accounts", "some_rows_accepted"): (
        "delete from staging.stg_bank_accounts",
        profile("bank_accounts", rows_accepted=0, rows_quarantined=ROWS),
    ),
    ("food_set_norms", "some_rows_accepted"): (
        "delete from staging.stg_food_set_norms",
        profile(
            "food_set_norms",
            rows_received=1,
            rows_accepted=0,
            rows_quarantined=1,
            previous_rows=1,
        ),
    ),
}
# More bad rows than good ones in a registry that is too small for other shares.
MORE_BAD_THAN_GOOD = ("kato", "quarantined_share_if_small")
TOLERANCE_SUITES = "persons asp_awards asp_members jobseekers applications"
