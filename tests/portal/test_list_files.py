"""A list as a file, however large: what it takes of memory is bounded."""

from pathlib import Path

import duckdb
import pytest

from komek.base import database
from komek.base.places import Home
from komek.portal import list_files
from komek.portal.files import Figures, Reader
from komek.portal.language import Language
from komek.publishing.publication import current_publication

ROWS = 100_000
LONG = 1_000  # letters of an address that no compression makes short
MEMORY = "64MB"


def _large_region(file: Path) -> None:
    with duckdb.connect(file) as connection:
        connection.execute(
            f"""
            create table recipients as
            select
                n as place,
                'surname' || n % 7 as last_name,
                'name' as first_name,
                'patronymic' as middle_name,
                left(
                    list_reduce(list_transform(range(32), lambda i: md5(n || '-' || i)),
                    lambda x, y: x || y), {LONG}
                ) as address,
                'place' as settlement_ru,
                'place' as settlement_kk,
                'c' || n as contract_id,
                'KZ' || n as iban,
                '110000000' as district_kato
            from range(1, {ROWS + 1}) as numbers(n)
            """
        )
        connection.execute(
            "create table places as select '110000000' as kato, 'a' as name_ru,"
            " 'b' as name_kk"
        )


def test_a_list_larger_than_its_memory_is_written_whole_and_in_order(
    tmp_path: Path, published: Home
) -> None:
    file = tmp_path / "region.duckdb"
    _large_region(file)
    publication = current_publication(published)
    assert publication is not None
    with database.connect_locked(file, "role", None, memory=MEMORY) as connection:
        connection.execute("use role")
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(
                "select * from recipients order by last_name, place"
            ).fetchall()
        reader = Reader(connection, publication, Figures())
        rows = list_files._chosen(reader, "place > ?", [10], "name")
        lang = Language("ru")
        texts = list_files._texts(
            reader,
            "concat_ws('|', last_name, place, district_name, address)",
            rows,
            lang,
        )
        found = [text.split("|") for text in texts]

    keys = [(name, int(place)) for name, place, _, _ in found]
    assert len(keys) == rows == ROWS - 10
    assert keys == sorted(keys)
    assert {(len(address), district) for *_, district, address in found} == {
        (LONG, "a")
    }
