"""Registries of a PostgreSQL database: one moment, as they are there, or nothing."""

import pytest

from komek.base.errors import UsageError
from komek.landing.snapshots import newest_snapshots
from komek.sources import postgres as module
from komek.sources.pull import pull
from pulled import DAY, MEMBERS, Pulls
from servers import PASSWORD, Postgres

SOURCE = {"kind": "postgres", "connection": "social", "table": "asp_members"}
AWARDS = {"kind": "postgres", "connection": "social", "table": "asp_awards"}


@pytest.fixture
def social(postgres: Postgres, pulls: Pulls) -> Pulls:
    postgres.execute(
        "drop schema public cascade",
        "create schema public",
        "create table asp_members (iin text, award_id text, note text)",
        "insert into asp_members values ('1', 'a', 'x'), (null, '', null)",
        "create table asp_awards (award_id varchar(9), family_id char(5),"
        " applicant_iin text, aid_kind text, period_start date, period_end timestamp,"
        " monthly_amount numeric(18, 4), status text, kato text)",
        "insert into asp_awards values ('a', 'f1', '1', 'unconditional', '2020-04-01',"
        " '2020-06-30', 5302.5, 'active', '110000000'), ('b', null, null, null,"
        " 'infinity', '2020-06-30 10:00', 'NaN', 'Абай, \"1\"', E'a\\n,b')",
    )
    pulls.connect("social", postgres.url())
    return pulls


def test_a_table_lands_for_the_day(social: Pulls) -> None:
    (snapshot,) = social.pull(asp_members=SOURCE)
    assert snapshot.snapshot_date == DAY
    assert social.rows() == [("a", "1"), ("", None)]
    assert snapshot.manifest.source == "postgres social: table asp_members"
    assert snapshot.files[0].file == f"{MEMBERS}/{DAY}.parquet"
    assert f"{MEMBERS}: columns that are not declared, left where they are: 1" in (
        social.said
    )


def test_types_land_as_registries_read_them(social: Pulls) -> None:
    (snapshot,) = social.pull(asp_awards=AWARDS)
    types = {column.name: column.type for column in snapshot.files[0].columns}
    assert types["period_start"] == "DATE"
    assert types["period_end"].startswith("TIMESTAMP")
    assert types["monthly_amount"] == types["family_id"] == "VARCHAR"
    first, second = social.rows("asp_awards")
    assert first[1] == "f1"
    assert first[6] == "5302.5"
    assert second[6:] == ("nan", 'Абай, "1"', "a\n,b")


def test_what_is_unchanged_is_no_revision(postgres: Postgres, social: Pulls) -> None:
    social.pull(asp_members=SOURCE)
    assert social.pull(asp_members=SOURCE) == []
    assert social.said[-1] == "1 snapshots unchanged"
    postgres.execute("insert into asp_members values ('2', 'b', null)")
    (snapshot,) = social.pull(asp_members=SOURCE)
    assert snapshot.revision == 2


def test_a_query_knows_the_day(social: Pulls) -> None:
    query = "select iin, award_id from asp_members where '2020-04-18' = {date};"
    social.pull(asp_members=SOURCE | {"table": None, "query": query})
    assert len(social.rows()) == 2
    typed = "select iin, award_id from asp_members where date '2020-04-17' = '{date}'"
    social.pull(asp_members=SOURCE | {"table": None, "query": typed})
    assert social.rows() == []


def test_a_dialect_is_of_texts_only(postgres: Postgres, social: Pulls) -> None:
    postgres.execute(
        'alter table asp_members rename column iin to "ИИН"',
        "update asp_members set award_id = 'NULL' where award_id = ''",
    )
    dialect = {"columns": {"ИИН": "iin"}, "nulls": ["NULL"], "decimal": ","}
    social.pull(asp_members=SOURCE | {"dialect": dialect})
    assert social.rows() == [("a", "1"), (None, None)]
    social.pull(asp_awards=AWARDS | {"dialect": {"decimal": ","}})
    assert social.rows("asp_awards")[0][6] == "5302.5"


def test_all_of_a_connection_is_of_one_moment(
    postgres: Postgres, social: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.receive

    def receive(opened, asked, *rest):
        rows = real(opened, asked, *rest)
        postgres.execute(
            "insert into asp_members values ('9', 'late', null)",
            "insert into asp_awards (award_id) values ('late')",
        )
        return rows

    monkeypatch.setattr(module, "receive", receive)
    social.pull(asp_awards=AWARDS, asp_members=SOURCE)
    assert "late" not in [row[0] for row in social.rows()]
    assert "late" not in [row[0] for row in social.rows("asp_awards")]


def test_changed_by_says_whether_there_is_anything_new(
    postgres: Postgres, social: Pulls
) -> None:
    source = SOURCE | {"changed_by": "select count(*), max(award_id) from asp_members"}
    (first,) = social.pull(asp_members=source)
    # What has changed in a way that the query does not see is not read.
    postgres.execute("update asp_members set iin = '7'")
    assert social.pull(asp_members=source) == []
    (carried,) = social.pull(DAY.replace(day=19), asp_members=source)
    assert carried.sha256 == first.sha256
    assert carried.paths[0].stat().st_ino == first.paths[0].stat().st_ino
    postgres.execute("insert into asp_members values ('8', 'z', null)")
    (new,) = social.pull(DAY.replace(day=19), asp_members=source)
    assert (new.revision, new.rows) == (2, 3)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"table": "nowhere.persons"}, 'relation "nowhere.persons" does not exist'),
        ({"table": None, "query": "select 1 as iin"}, "lacks the columns award_id"),
        ({"table": None, "query": "select nonsense"}, "does not exist"),
        (
            {"table": None, "query": "select 1 as iin, 'a' as award_id"},
            "numbers as identifiers, which have lost their leading zeros: iin",
        ),
        (
            {"table": None, "query": "select '1'::text as iin, (1/0)::text award_id"},
            "fails on what is in it (SQLSTATE 22012)",
        ),
    ],
)
def test_what_will_not_pass_is_not_tried_again(
    social: Pulls, source: dict, said: str
) -> None:
    told = social.refused(asp_members=SOURCE | source)
    assert said in told
    assert "(not tried again)" in told
    assert not any("trying again" in line for line in social.said)


def test_one_that_is_refused_does_not_stop_the_others(social: Pulls) -> None:
    told = ""
    with pytest.raises(Exception, match="does not exist") as stopped:
        social.pull(asp_awards=AWARDS | {"table": "gone"}, asp_members=SOURCE)
    told = str(stopped.value)
    assert told.startswith("refused at landing: asp_awards: the database cannot answer")
    assert len(social.rows()) == 2


@pytest.mark.parametrize(
    "parts", [{"password": "wr0ng-one"}, {"database": "no"}, {"user": "nobody"}]
)
def test_credentials_are_told_by_their_connection(
    postgres: Postgres, social: Pulls, parts: dict
) -> None:
    social.connect("social", postgres.url(**parts))
    told = social.refused(asp_members=SOURCE)
    assert "refuses the connection and its credentials (not tried again)" in told
    assert "wr0ng-one" not in told + "".join(social.said)


def test_a_database_that_is_away_is_tried_again(social: Pulls) -> None:
    social.connect("social", f"postgresql://owner:{PASSWORD}@127.0.0.1:1/postgres")
    told = social.refused(asp_members=SOURCE | {"retries": 2})
    assert told.endswith("the database cannot be reached (tried 3 times)")
    assert sum("trying again" in line for line in social.said) == 2
    assert PASSWORD not in told + "".join(social.said)


def test_what_breaks_off_in_the_middle_comes_whole_the_next_time(
    postgres: Postgres, social: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.write_rows
    tries = []

    def write_rows(path, schema, batches, entity):
        tries.append(path)
        if len(tries) == 1:
            postgres.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'komek'"
            )
        return real(path, schema, batches, entity)

    postgres.execute(
        "insert into asp_members select n::text, n::text, repeat('x', 99)"
        " from generate_series(1, 200000) n"
    )
    monkeypatch.setattr(module, "write_rows", write_rows)
    (snapshot,) = social.pull(asp_members=SOURCE)
    assert snapshot.rows == 200_002
    assert any("the database broke off" in line for line in social.said)


def test_a_row_that_fails_in_the_middle_is_not_tried_again(social: Pulls) -> None:
    query = (
        "select n::text as iin, (1 / (150000 - n))::text as award_id, '' as role"
        " from generate_series(1, 200000) n"
    )
    told = social.refused(asp_members=SOURCE | {"table": None, "query": query})
    assert told.endswith("the database fails on what is in it (not tried again)")


@pytest.mark.parametrize(
    "said",
    [
        "PQgetCopyData() failed: server closed the connection unexpectedly",
        "[PGRES_FATAL_ERROR]: FATAL:  terminating connection: administrator command",
        "ERROR:  canceling statement due to conflict with recovery",
    ],
)
def test_what_breaks_off_may_pass_however_it_is_told(said: str) -> None:
    def batches():
        raise OSError(said)
        yield

    with pytest.raises(module.Refused) as stopped:
        [*module._streamed(batches())]
    assert stopped.value.may_pass


def test_a_connection_must_be_known(social: Pulls) -> None:
    with pytest.raises(UsageError, match="KOMEK_CONN_ELSEWHERE is not set"):
        social.pull(asp_members=SOURCE | {"connection": "elsewhere"})


def test_whoever_calls_knows_connections_first(
    postgres: Postgres, social: Pulls
) -> None:
    social.connect("social", "postgresql://127.0.0.1:1/none")
    social.write(asp_members=SOURCE)
    known = {"social": postgres.url()}
    assert len(pull(social.home, [MEMBERS], day=DAY, connections=known.get)) == 1
    assert newest_snapshots(social.home, MEMBERS)


def test_letters_of_another_encoding_are_refused(
    postgres: Postgres, social: Pulls
) -> None:
    """Whoever loaded the database read kz1048 as cp1251."""
    postgres.execute(
        "create table kato (kato text, name_ru text, name_kk text, valid_from text,"
        " valid_to text)",
        "insert into kato values ('110000000', 'Алматы', 'Ќазаќстан', null, null)",
    )
    told = social.refused(kato=SOURCE | {"table": "kato"})
    assert "it looks like kz1048 read as cp1251" in told
    postgres.execute("update kato set name_kk = 'Қазақстан, Әәһү'")
    assert len(social.pull(kato=SOURCE | {"table": "kato"})) == 1


def test_text_of_no_encoding_is_refused(postgres: Postgres, social: Pulls) -> None:
    postgres.execute(
        "drop database if exists bytes",
        "create database bytes encoding 'SQL_ASCII' locale 'C' template template0",
    )
    social.connect("social", postgres.url(database="bytes"))
    query = r"select convert_from('\xffff', 'SQL_ASCII') as iin, 'a' as award_id"
    told = social.refused(asp_members=SOURCE | {"table": None, "query": query})
    assert "has text that is not UTF-8 (not tried again)" in told
