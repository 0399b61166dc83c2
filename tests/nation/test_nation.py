"""The demo nation: figures, planted defects, what may change between snapshots."""

import hashlib
import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from komek.base import places, registries
from komek.base.errors import UsageError
from komek.base.registries import Entity
from komek.nation import defects, write, write_nation

SCALE = 0.001
FIRST, LAST = date(2020, 3, 1), date(2020, 5, 31)
RUN = date(2020, 4, 20)
# Weights of the check digit, first and second round.
ROUNDS = ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2])


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drop") / "nation"
    write_nation(folder, SCALE)
    return folder


@pytest.fixture(scope="module")
def planted(nation: Path) -> list[dict]:
    return json.loads((nation / "planted.json").read_text())["snapshots"]


def rows(sql: str) -> list[tuple]:
    with duckdb.connect() as db:
        return db.execute(sql).fetchall()


def value(sql: str):
    return rows(sql)[0][0]


def snapshot(nation: Path, entity: str, day: date) -> str:
    return f"'{nation / entity / f'{day}.parquet'}'"


def dates(entity: str) -> list[date]:
    return write.snapshot_dates(entity, FIRST, LAST)


def latest(nation: Path, entity: str, day: date = LAST) -> str:
    return snapshot(nation, entity, max(d for d in dates(entity) if d <= day))


def valid_iin(column: str) -> str:
    """Return an SQL predicate that follows the rule's words, not the writer's."""
    digits = f"list_transform(string_split({column}, ''), lambda d: d::integer)"
    sums = [
        f"list_dot_product({digits}[1:11]::double[], {weights}::double[])::integer % 11"
        for weights in ROUNDS
    ]
    check = f"if({sums[0]} < 10, {sums[0]}, {sums[1]})"
    return f"(regexp_full_match({column}, '[0-9]{{12}}') and {digits}[12] = {check})"


def row_reasons(entity: Entity) -> dict[str, str]:
    """Return per reason code the predicate of the rows that have it."""
    reasons = {}
    for column in entity.columns:
        name = column.name
        if column.required:
            reasons[f"missing:{name}"] = f"{name} is null"
        if column.codes:
            codes = ", ".join(f"'{code}'" for code in column.codes)
            reasons[f"unknown_code:{name}"] = f"{name} not in ({codes})"
        if column.type == "iin":
            reasons[f"invalid_iin:{name}"] = f"not {valid_iin(name)}"
    for start, end in entity.intervals:
        reasons[f"inverted_interval:{end}"] = f"{end} < {start}"
    return reasons


def recount(path: str, entity: Entity) -> dict[str, int]:
    """Count what a quarantine would hold, straight from the registry table."""
    columns = ", ".join(entity.column_names)
    key = ", ".join(entity.key)
    counted = ", ".join(
        f'count(*) filter (where {predicate}) as "{reason}"'
        for reason, predicate in row_reasons(entity).items()
    )
    sql = f"""
        with distinct_rows as (
            select {columns}, count(*) as copies from {path} group by {columns}
        ),
        keys as (select {key}, count(*) as contents from distinct_rows group by {key})
        select
            (select coalesce(sum(copies - 1), 0)::bigint from distinct_rows)
                as duplicate_row,
            (select coalesce(sum(contents), 0)::bigint from keys where contents > 1)
                as duplicate_key,
            {counted or "0 as nothing"}
        from distinct_rows
    """
    with duckdb.connect() as db:
        result = db.execute(sql)
        names = [description[0] for description in result.description]
        counts = result.fetchone()
    return {name: n for name, n in zip(names, counts, strict=True) if n}


@pytest.mark.parametrize("entity", registries.entities(), ids=lambda e: e.name)
def test_quarantine_can_be_recounted_from_what_was_planted(
    nation: Path, planted: list[dict], entity: Entity
) -> None:
    mine = [item for item in planted if item["entity"] == entity.name]
    assert [item["snapshot_date"] for item in mine] == [
        day.isoformat() for day in dates(entity.name)
    ]
    for item in {id(i): i for i in (mine[0], mine[len(mine) // 2], mine[-1])}.values():
        day = date.fromisoformat(item["snapshot_date"])
        path = snapshot(nation, entity.name, day)
        assert value(f"select count(*) from {path}") == item["rows"]
        assert recount(path, entity) == item["quarantine"]


def test_a_recount_sees_something(planted: list[dict]) -> None:
    seen = {reason.split(":")[0] for item in planted for reason in item["quarantine"]}
    assert seen >= {
        "invalid_iin", "missing", "unknown_code", "duplicate_row", "duplicate_key",
        "inverted_interval",
    }  # fmt: skip


@pytest.mark.parametrize("entity", registries.entities(), ids=lambda e: e.name)
def test_the_columns_are_the_registry_tables_and_typed(
    nation: Path, entity: Entity
) -> None:
    expected = {"date": "DATE", "amount": "DECIMAL(18,2)", "integer": "BIGINT"}
    found = rows(f"describe select * from {latest(nation, entity.name)}")
    assert [(row[0], row[1]) for row in found] == [
        (column.name, expected.get(column.type, "VARCHAR")) for column in entity.columns
    ]


def test_kept_defects_are_in_the_data(nation: Path, planted: list[dict]) -> None:
    kept = {
        item["entity"]: item["kept"]
        for item in planted
        if item["snapshot_date"] == FIRST.isoformat()
    }
    persons = snapshot(nation, "persons", FIRST)
    kato = snapshot(nation, "kato", FIRST)
    unknown = value(
        f"select count(*) from {persons} where kato not in "
        f"(select kato from {kato} where valid_to is null)"
    )
    assert unknown == kept["persons"]["unknown_kato:kato"]
    mismatched = value(
        f"""select count(*) from (select distinct * from {persons})
        where strftime(birth_date, '%y%m%d') <> left(iin, 6)"""
    )
    assert mismatched == kept["persons"]["birth_mismatch:birth_date"]


def test_people_absent_from_the_register_are_those_planted(
    nation: Path, planted: list[dict]
) -> None:
    # Of the first day, so that the register and the roll are of one date.
    members = snapshot(nation, "asp_members", FIRST)
    absent = value(
        f"""select count(*) from (select distinct * from {members})
        where {valid_iin("iin")}
        and left(iin, 11) not in
            (select left(iin, 11) from {snapshot(nation, "persons", FIRST)})"""
    )
    (item,) = [
        item for item in planted
        if item["entity"] == "asp_members"
        and item["snapshot_date"] == FIRST.isoformat()
    ]  # fmt: skip
    assert absent == item["kept"].get("no_person:iin", 0) > 0


@pytest.mark.parametrize(
    "name", ["invalid_iin", "lookalike", "unknown_code", "no_person", "duplicate_key"]
)
def test_what_breaks_a_value_leaves_empty_fields_alone(name: str) -> None:
    entity = registries.entity("applications")
    condition = defects.condition(
        defects.Defect(1, entity.name, name, "iin", 0.1), entity
    )
    found = rows(
        f"select iin is null from (values ('A'), (null)) as t(iin) where {condition}"
    )
    assert found == [(False,)]


def test_defects_stay_well_within_the_tolerances(planted: list[dict]) -> None:
    shares = {entity.name: 0.0 for entity in registries.entities()}
    absent = dict(shares)
    for entity in shares:
        for defect in write.entity_defects(entity):
            if defect.name == "no_person":
                absent[entity] += defect.rate
            elif not defect.is_kept:
                shares[entity] += defect.rows(1) * defect.rate
    assert 0 < max(shares.values()) < 0.02
    assert 0 < max(absent.values()) < 0.03


def test_population_is_exact_and_by_region(nation: Path, planted: list[dict]) -> None:
    (item,) = [
        item for item in planted
        if item["entity"] == "persons" and item["snapshot_date"] == FIRST.isoformat()
    ]  # fmt: skip
    copies = (
        item["quarantine"]["duplicate_row"]
        + item["quarantine"].get("duplicate_key", 0) // 2
    )
    assert item["rows"] - copies == round(18_631_779 * SCALE)
    with (places.MARGINALS / "regions.csv").open() as file:
        published = {
            line.split(",")[0]: float(line.split(",")[5]) for line in list(file)[1:]
        }
    found = dict(
        rows(
            f"""select left(kato, 2) || '0000000', count(*)
            from {snapshot(nation, "persons", FIRST)}
            where kato is not null group by 1"""
        )
    )
    for kato, thousand in published.items():
        # Those without a home or with a wrong code are not many.
        assert found[kato] == pytest.approx(thousand * 1000 * SCALE, rel=0.04, abs=3)


def test_ages_are_as_published(nation: Path) -> None:
    persons = snapshot(nation, "persons", FIRST)
    shares = rows(
        f"""select count(*) filter (where age < 16) / count(*),
            count(*) filter (where age between 16 and 62) / count(*),
            count(*) filter (where age >= 63) / count(*)
        from (select date_sub('year', birth_date, date '{FIRST}') as age from {persons})
        """
    )[0]
    # A region's last hundred is cut short, which tells at so small a scale.
    assert shares == pytest.approx((0.30, 0.59, 0.11), abs=0.01)


def test_rolls_are_as_published(nation: Path) -> None:
    def thousand(figure: float) -> object:
        # Broken numbers are people of their own here: a percent or two, at least 3.
        return pytest.approx(figure * 1000 * SCALE, rel=0.02, abs=3)

    awards, members = latest(nation, "asp_awards"), latest(nation, "asp_members")
    on_roll = f"""select distinct award_id, family_id from {awards}
        where date '2020-03-15' between period_start and period_end
        or period_start = date '2020-03-01'"""
    assert value(f"select count(distinct family_id) from ({on_roll})") == thousand(
        102.4
    )
    assert value(
        f"""select count(distinct iin) from {members}
        where award_id in (select award_id from ({on_roll}))"""
    ) == thousand(527.6)
    terms = snapshot(nation, "disability_terms", FIRST)
    disabled = f"from {terms} where kind = 'disability'"
    assert value(f"select count(distinct iin) {disabled}") == thousand(700)
    stays = snapshot(nation, "institution_stays", FIRST)
    assert value(
        f"""select count(distinct iin) from {stays}
        where stay_kind = 'permanent' and discharged_on is null"""
    ) == thousand(21)
    benefits = snapshot(nation, "benefit_awards", FIRST)
    assert value(
        f"select count(distinct award_id) from {benefits} "
        "where benefit = 'disability_allowance'"
    ) == thousand(525)


@pytest.mark.parametrize(
    ("day", "figure"), [("2020-03-16", 120), ("2020-04-16", 170), ("2020-04-30", 215)]
)
def test_registered_unemployed_grow_as_published(
    nation: Path, day: str, figure: float
) -> None:
    # Whoever is decided on a weekend is decided on Monday.
    found = value(
        f"""select count(distinct iin) from {latest(nation, "jobseekers")}
        where unemployed_decided_on <= date '{day}'
        and (deregistered_on is null or deregistered_on > date '{day}')"""
    )
    assert found == pytest.approx(figure * 1000 * SCALE, rel=0.08)


def test_the_april_list_is_near_the_published_one(nation: Path) -> None:
    expected = json.loads((nation / "planted.json").read_text())["expected_sets"]
    april = expected["2020-04-01"]
    assert set(april) == {"p25_1", "p25_2", "p25_3", "p25_4", "p25_5"}
    # Two regions are blocked, and 7% of the people live there.
    assert sum(april.values()) * 0.93 == pytest.approx(960_000 * SCALE, rel=0.05)


def test_one_roll_was_not_kept(nation: Path) -> None:
    gone = rows(
        f"""select
            left(a.kato, 2) = '23' as stale,
            avg((p.death_date is not null or left(p.kato, 2) <> left(a.kato, 2))::int)
        from {latest(nation, "asp_members")} as m
        inner join {latest(nation, "asp_awards")} as a using (award_id)
        inner join {latest(nation, "persons")} as p on p.iin = m.iin
        group by stale order by stale"""
    )
    assert gone[0][1] < 0.05
    assert 0.1 < gone[1][1] < 0.45


def test_two_regions_have_no_publishable_norm_on_the_day_of_the_run(
    nation: Path,
) -> None:
    norms = rows(
        f"""select kato, arg_max(set_cost, decided_on)
        from {latest(nation, "food_set_norms", RUN)}
        where valid_from = date '2020-04-01' group by kato"""
    )
    assert len(norms) == 16
    assert "470000000" not in dict(norms)
    assert {kato for kato, cost in norms if cost < 5556} == {"590000000"}


def test_contracts_fall_short_in_one_region(nation: Path) -> None:
    contracts = latest(nation, "supply_contracts", RUN)
    sets = dict(
        rows(
            f"""select kato, sum(sets_total) from {contracts}
            where valid_from = date '2020-04-01' group by kato"""
        )
    )
    needs = dict(
        rows(
            f"""select left(p.kato, 2) || '0000000', count(distinct d.iin)
            from {latest(nation, "deliveries")} as d
            inner join {latest(nation, "persons")} as p on p.iin = d.iin
            where d.list_month = date '2020-04-01' and d.mode = 'in_kind' group by 1"""
        )
    )
    assert sets["310000000"] < needs["310000000"]
    assert sets["610000000"] >= needs["610000000"]


def test_children_have_parents(nation: Path) -> None:
    without = value(
        f"""select count(*) filter (where l.child_iin is null) / count(*)
        from (select distinct iin from {snapshot(nation, "persons", FIRST)}
            where birth_date > date '{FIRST}' - interval 18 year) as p
        left join (select distinct child_iin
            from {snapshot(nation, "family_links", FIRST)}) as l
            on l.child_iin = p.iin"""
    )
    assert without < 0.01


def test_ibans_are_valid_but_for_the_planted(nation: Path, planted: list[dict]) -> None:
    path = latest(nation, "bank_accounts")
    wrong = value(
        f"""with numbers as (
            select replace(substr(iban, 5), 'T', '29') || '2035' || substr(iban, 3, 2)
                as digits from (select distinct * from {path})
            where regexp_full_match(iban, 'KZ[0-9]{{5}}[0-9T][0-9]{{12}}')
        )
        select count(*) filter (where digits::hugeint % 97 <> 1) from numbers"""
    )
    item = [item for item in planted if item["entity"] == "bank_accounts"][-1]
    assert wrong == item["kept"]["bad_iban:iban"] > 0


def changes(nation: Path, entity: str) -> list[tuple[str, str]]:
    paths = [snapshot(nation, entity, day) for day in dates(entity)]
    return list(pairwise(paths))


@pytest.mark.parametrize("entity", registries.entities(), ids=lambda e: e.name)
def test_nothing_recorded_is_lost(nation: Path, entity: Entity) -> None:
    key = ", ".join(entity.key)
    for before, after in changes(nation, entity.name):
        lost = f"select {key} from {before} except select {key} from {after}"
        assert value(f"select count(*) from ({lost})") == 0


def test_nobody_rises_from_the_dead_and_some_die_move_and_are_born(
    nation: Path,
) -> None:
    died = moved = born = 0
    for before, after in changes(nation, "persons"):
        counts = rows(
            f"""select
                count(*) filter (where b.death_date is distinct from a.death_date
                    and b.death_date is not null),
                count(*) filter (where b.death_date is null
                    and a.death_date is not null),
                count(*) filter (where b.kato is distinct from a.kato)
            from (select distinct on (iin) * from {before} order by all) as b
            inner join (select distinct on (iin) * from {after} order by all) as a
                using (iin)"""
        )[0]
        assert counts[0] == 0
        died, moved = died + counts[1], moved + counts[2]
        born += value(f"select (select count(*) from {after}) - count(*) from {before}")
    assert died > 0
    assert moved > 0
    assert born > 0


@pytest.mark.parametrize(
    ("entity", "key", "ended"),
    [
        ("asp_awards", "award_id", "status = 'terminated'"),
        ("institution_stays", "stay_id", "discharged_on is not null"),
        ("jobseekers", "case_id", "deregistered_on is not null"),
    ],
)
def test_what_has_ended_stays_ended(
    nation: Path, entity: str, key: str, ended: str
) -> None:
    for before, after in changes(nation, entity):
        undone = value(
            f"""select count(*) from (
                select {key} from {before} where {ended}
                except select {key} from {after} where {ended})"""
        )
        assert undone == 0


def test_events_lie_in_the_past_of_their_snapshot_but_for_mistyped_years(
    nation: Path,
) -> None:
    day = dates("applications")[4]
    columns = [
        "submitted_on", "forwarded_on", "checked_on", "contacted_on",
        "case_formed_on", "decided_on", "notified_on",
    ]  # fmt: skip
    late = " or ".join(
        f"{c} > date '{day}' and {c} < date '2029-01-01'" for c in columns
    )
    path = snapshot(nation, "applications", day)
    assert value(f"select count(*) from {path} where {late}") == 0
    assert value(f"select count(distinct service_code) from {path}") > 15


def test_each_registry_is_fresh_and_had_an_earlier_export_on_the_day_of_the_run(
    nation: Path,
) -> None:
    for entity in registries.entities():
        known = [day for day in dates(entity.name) if day <= RUN]
        assert (RUN - known[-1]).days <= 28
        before, after = (
            value(f"select count(*) from {snapshot(nation, entity.name, day)}")
            for day in known[-2:]
        )
        if before > 1:
            small = 0.35 if before < 1000 * SCALE * 100 else 0.20
            assert abs(after - before) <= max(small * before, 5)


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    def write_one(name: str, **kwargs: object) -> dict[str, str]:
        folder = tmp_path / name
        write_nation(folder, 0.0005, first=RUN, last=RUN, **kwargs)
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.*"))
        }

    once = write_one("once")
    assert len(once) == 16  # one snapshot of each entity, and what was planted
    assert write_one("again") == once
    other = write_one("other", seed=119)
    assert other["persons/2020-04-20.parquet"] != once["persons/2020-04-20.parquet"]
    assert {path.name for path in tmp_path.iterdir()} == {"once", "again", "other"}


def test_an_earlier_nation_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(UsageError, match="neither empty nor"):
        write_nation(folder, 0.0001, first=RUN, last=RUN)
    assert (folder / "mine.txt").read_text() == "kept"
    (folder / "mine.txt").rename(folder / "planted.json")
    write_nation(folder, 0.0001, first=RUN, last=RUN)
    assert json.loads((folder / "planted.json").read_text())["scale"] == 0.0001


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(UsageError, match="scale"):
        write_nation(tmp_path / "drop", scale)


def test_days_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="after the last day"):
        write_nation(tmp_path / "drop", SCALE, first=LAST, last=FIRST)


def test_a_scale_beyond_the_numbers_there_are_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MOST_BORN_ON_A_DAY", 1)
    with pytest.raises(UsageError, match="too large"):
        write_nation(tmp_path / "drop", SCALE, first=RUN, last=RUN)
    assert list(tmp_path.iterdir()) == []
