"""What DuckDB, dbt and GX say of a failure, and how much of it is read."""

import re

import duckdb
import pytest

from komek.base.messages import about_a_query, harmless, of_a_model
from komek.base.places import DBT_PROJECT

NAME = "Ахметова"


def raised(query: str) -> duckdb.Error:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(query)
    return caught.value


def told_by_dbt(query: str) -> str:
    return f"Runtime Error in model p26_list (models/law/p26.sql)\n  {raised(query)}"


def prefix_of_fail() -> str:
    """Return what macro fail() puts before a message."""
    macros = (DBT_PROJECT / "macros" / "dialect.sql").read_text(encoding="utf-8")
    macro = macros.partition("macro fail(message)")[2].partition("endmacro")[0]
    (prefix,) = re.findall(r"concat\('(.*?)', ", macro)
    return prefix


def test_what_fail_says_is_read() -> None:
    query = f"select error(concat('{prefix_of_fail()}', 'no value of law: x'))"

    assert of_a_model(told_by_dbt(query)) == "no value of law: x"


@pytest.mark.parametrize(
    "query",
    [
        f"select error('no value of law: {NAME}')",
        f"select cast('komek: {NAME}' as integer)",
        f"select cast('Invalid Input Error: komek: {NAME}' as integer)",
        f"select cast(chr(10) || '  Invalid Input Error: komek: {NAME}' as date)",
    ],
)
def test_a_row_that_reads_like_what_fail_says_is_not_read(query: str) -> None:
    assert NAME in told_by_dbt(query)
    assert of_a_model(told_by_dbt(query)) is None


def test_the_class_tells_what_may_quote_a_row() -> None:
    assert harmless(raised("select absent")).startswith("Binder Error: Referenced")
    assert harmless(raised(f"select cast('Binder Error: {NAME}' as integer)")) == (
        "Conversion Error (the rest may quote a row)"
    )
    assert harmless(duckdb.ConstraintException(NAME)) == (
        "ConstraintException (the rest may quote a row)"
    )


def test_of_a_query_the_first_line_is_read() -> None:
    absent = raised("select absent from (select 1 as present)")
    said = f"(_duckdb.BinderException) {absent}\n[SQL: select absent]"

    assert about_a_query(said) == (
        'Binder Error: Referenced column "absent" not found in FROM clause!'
    )


def test_a_row_that_reads_like_a_query_is_not_read() -> None:
    quoted = raised(f"select cast('Binder Error: {NAME}' as integer)")

    assert about_a_query(f"(_duckdb.ConversionException) {quoted}") is None
    assert about_a_query(f"ValueError: {NAME}") is None
