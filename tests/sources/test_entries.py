"""What an override file may say, and what is said of it when it says another thing."""

from pathlib import Path

import pytest
import yaml

from komek.base import registries
from komek.base.errors import UsageError
from komek.landing.complete import Complete
from komek.landing.dialect import Dialect
from komek.sources.entries import DropSource, HttpSource, Paging, PostgresSource
from komek.sources.parse import sources
from komek.sources.pull import together

# As README and the page on sources have them.
EXAMPLES = """
persons:
  kind: postgres
  connection: population
  query: select * from gbd.persons where as_of <= {date}
asp_awards: {kind: postgres, connection: social, table: public.asp_awards}
asp_members: {kind: postgres, connection: social, table: public.asp_members}
jobseekers:
  kind: drop
  where: sftp://labour@host:2222/outgoing
  connection: labour
  pattern: "JS_{date:%d.%m.%Y}.csv"
  complete: {checksum: "{name}.sha256"}
  dialect: {encoding: cp1251, delimiter: ";", dates: ["%d.%m.%Y"], decimal: ",",
    nulls: ["", "NULL", "-"], columns: {ИИН: iin, "Дата регистрации": registered_on}}
food_set_norms: {kind: drop, where: /srv/akimats, pattern: "norms_{date:%Y%m%d}.xlsx",
  dialect: {sheet: Нормы, header_row: 3}}
deliveries: {where: /srv, complete: {still_for: 10m, parts: 3, marker: "{date}.ok"},
  retries: 5, timeout: 2m, dialect: {true: да, false: [нет, no], quoting: none}}
applications:
  kind: http
  connection: appeals
  where: https://host/api/applications?as_of={date}
  format: json
  rows: $.items
  total: $.total
  page: {cursor: $.next, parameter: cursor}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sources.yml"
    monkeypatch.setenv("KOMEK_SOURCES", str(path))
    return path


def test_nothing_given_is_the_drop_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOMEK_SOURCES", raising=False)
    assert sources() == {one.name: DropSource() for one in registries.entities()}


def test_the_examples_are_read(file: Path) -> None:
    file.write_text(EXAMPLES, encoding="utf-8")
    read = sources()
    assert read["asp_awards"] == PostgresSource(
        connection="social", table="public.asp_awards"
    )
    assert read["jobseekers"] == DropSource(
        where="sftp://labour@host:2222/outgoing",
        connection="labour",
        pattern="JS_{date:%d.%m.%Y}.csv",
        complete=Complete(checksum="{name}.sha256"),
        dialect=Dialect(
            encoding="cp1251",
            delimiter=";",
            dates=("%d.%m.%Y",),
            decimal=",",
            nulls=("", "NULL", "-"),
            columns={"ИИН": "iin", "Дата регистрации": "registered_on"},
        ),
    )
    assert read["deliveries"] == DropSource(
        where="/srv",
        complete=Complete(marker="{date}.ok", parts=3, still_for=600),
        dialect=Dialect(trues=("да",), falses=("нет", "no"), quote=None),
        retries=5,
        timeout=120,
    )
    assert read["applications"] == HttpSource(
        where="https://host/api/applications?as_of={date}",
        connection="appeals",
        rows="$.items",
        total="$.total",
        page=Paging(cursor="$.next", parameter="cursor"),
    )
    assert read["kato"] == DropSource()
    assert together("asp_awards") == together("asp_members")
    assert together("asp_awards") == ["asp_awards", "asp_members"]
    assert together("kato") == ["kato"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "ftp"}, "kind must be one of drop, postgres, http"),
        ({"query": "select 1"}, "unknown key query: one of complete, connection"),
        ({"complete": {"part": 3}}, "unknown key complete.part: one of checksum"),
        ({"complete": {"parts": 0}}, "complete.parts must be a whole number from 1"),
        ({"complete": {"still_for": "soon"}}, "complete.still_for must be a time"),
        ({"complete": "x"}, "complete must be a table"),
        ({"pattern": "a.csv"}, "pattern 'a.csv' has no {date} in it"),
        ({"pattern": "{date:%x}.csv"}, "%x is no part of a day in a file's name"),
        ({"connection": "postgres://a:b@c/d"}, "connection must be the id of a"),
        ({"retries": -1}, "retries must be a whole number from 0"),
        ({"timeout": "fast"}, "timeout must be a time such as 30s"),
        ({"dialect": {"encodin": "x"}}, "unknown key dialect.encodin: one of columns"),
        ({"dialect": {"encoding": "x"}}, "dialect.encoding must be an encoding"),
        ({"dialect": {"delimiter": "||"}}, "dialect.delimiter must be one character"),
        ({"dialect": {"decimal": ";"}}, "dialect.decimal must be a point or a comma"),
        ({"dialect": {"quoting": "x"}}, "dialect.quoting must be one of double"),
        ({"dialect": {"header_row": 0}}, "dialect.header_row must be a whole number"),
        ({"dialect": {"dates": {}}}, "dialect.dates must be a list of words"),
        ({"dialect": {"columns": {"a": "b"}}}, "dialect.columns.a must be a column of"),
        (
            {"dialect": {"columns": {"a": "iin", "b": "iin"}}},
            "dialect.columns must be one heading for each column",
        ),
        ({"kind": "postgres"}, "connection must be given for a postgres source"),
        ({"kind": "postgres", "connection": "a"}, "query must be given where table"),
        ({"kind": "http"}, "where must be given for an http source"),
        ({"kind": "http", "where": "x", "format": "xml"}, "format must be one of json"),
        ({"kind": "http", "where": "x", "rows": "items"}, "rows must be a path such"),
        ({"kind": "http", "where": "x", "page": {}}, "page must be one of number"),
        (
            {"kind": "http", "where": "x", "page": {"link": True, "number": "n"}},
            "page must be one of number, offset, cursor, link",
        ),
        ("drop", "is no entry"),
    ],
)
def test_what_is_misspelt_is_named(file: Path, entry: object, said: str) -> None:
    file.write_text(yaml.safe_dump({"asp_members": entry}), encoding="utf-8")
    with pytest.raises(UsageError) as wrong:
        sources()
    assert str(wrong.value).startswith(f"{file}: asp_members")
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pensions: {kind: drop}", "pensions is no registry"),
        ("a: [", "line 1: it is no YAML"),
        ("- a", "it names no registries"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_none_is_named(file: Path, text: str | None, said: str) -> None:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as wrong:
        sources()
    assert str(file) in str(wrong.value)
