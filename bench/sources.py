r"""How fast a PostgreSQL table lands, beside psql and beside other ways to read it.

    python bench/sources.py [--rows 18631779] [--rounds 2]

Starts a server of its own, fills a table of persons (text, as many as asked), and reads
it by turns: psql's `\\copy` to a file, which is what there is to beat; the pull, to a
landed snapshot; and to a Parquet file without landing it, ADBC and DuckDB's extension
(where its package is installed). Each is a process of its own. Prints wall and CPU
seconds of the reader, and its peak memory, the least of the rounds.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "dev"))

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

import servers
from komek.base import registries
from komek.base.places import Home
from komek.sources.pull import pull

COLUMNS = ", ".join(registries.entity("persons").column_names)
SELECT = f"select {COLUMNS} from persons"
FILL = """
create unlogged table persons as select
    lpad((i * 7919 % 999999999999)::text, 12, '0') as iin,
    'Ахметов' || (i % 5000) as last_name,
    'Нұрлан' || (i % 900) as first_name,
    case when i % 10 < 8 then 'Серікұлы' || (i % 700) end as middle_name,
    to_char(date '1930-01-01' + (i % 32000)::int, 'YYYY-MM-DD') as birth_date,
    case when i % 2 = 0 then 'M' else 'F' end as sex,
    case when i % 40 = 0 then '2019-05-05' end as death_date,
    lpad((110000000 + i % 70000000)::text, 9, '0') as kato,
    'Абай көшесі, ' || (i % 400) || ' үй' as address
from generate_series(1::bigint, {rows}) as i
"""
WAYS = ("psql", "pull", "adbc", "duckdb")


def main() -> None:
    """Measure all ways, or be one of them."""
    parser = argparse.ArgumentParser(description="PostgreSQL to landed Parquet.")
    parser.add_argument("--rows", type=int, default=18_631_779)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--url", help="a server that has the table already")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        one(arguments.way, arguments.url)
    elif arguments.url:
        measure(arguments.url, arguments.rounds)
    else:
        with servers.postgres() as server:
            server.execute(FILL.format(rows=arguments.rows))
            measure(server.url(), arguments.rounds)


def measure(url: str, rounds: int) -> None:
    """Print the least of several rounds, by turns."""
    found: dict[str, tuple[float, float, float]] = {}
    for _ in range(rounds):
        for way in WAYS:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.monotonic()
            command = [sys.executable, __file__, "--way", way, "--url", url]
            ended = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            wall = time.monotonic() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if ended.returncode:
                continue
            cpu = sum(after[:2]) - sum(before[:2])
            peak = float(ended.stdout) / (1 << 20)
            found[way] = min(found.get(way, (wall, cpu, peak)), (wall, cpu, peak))
    print("| way | wall s | of psql | CPU s of the reader | peak GiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for way, (wall, cpu, peak) in found.items():
        ratio = wall / found["psql"][0]
        print(f"| {way} | {wall:.1f} | {ratio:.2f} | {cpu:.1f} | {peak:.2f} |")


def one(way: str, url: str) -> None:
    """Read the table one way; print the peak memory in KiB."""
    with tempfile.TemporaryDirectory(prefix="komek-bench-") as folder:
        act: Callable[[str, Path], None] = {
            "psql": by_psql,
            "pull": by_pull,
            "adbc": by_adbc,
            "duckdb": by_duckdb,
        }[way]
        act(url, Path(folder))
    who = resource.RUSAGE_CHILDREN if way == "psql" else resource.RUSAGE_SELF
    print(resource.getrusage(who).ru_maxrss)


def by_psql(url: str, folder: Path) -> None:
    """Copy as people do."""
    copy = f"\\copy ({SELECT}) to '{folder}/persons.txt'"
    psql = servers.program("psql", "postgresql-client")
    subprocess.run([psql, "-q", url, "-c", copy], check=True)


def by_pull(url: str, folder: Path) -> None:
    """Land a snapshot."""
    entry = {"kind": "postgres", "connection": "bench", "table": "persons"}
    file = folder / "sources.yml"
    file.write_text(yaml.safe_dump({"persons": entry}))
    os.environ |= {"KOMEK_SOURCES": str(file), "KOMEK_CONN_BENCH": url}
    pull(Home(folder / "home"), ["persons"], day=date(2020, 4, 1))


def by_adbc(url: str, folder: Path) -> None:
    """Write what ADBC reads, in one thread."""
    with adbc.connect(url) as opened, opened.cursor() as cursor:
        cursor.execute(SELECT)
        reader = cursor.fetch_record_batch()
        path = folder / "persons.parquet"
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_table(pa.Table.from_batches([batch]))


def by_duckdb(url: str, folder: Path) -> None:
    """Write what DuckDB's extension reads, with its threads."""
    with suppress(ImportError):
        import duckdb_extension_postgres_scanner as package  # noqa: PLC0415

        base = Path(package.__file__).parent / "extensions" / f"v{duckdb.__version__}"
        with duckdb.connect() as connection:
            connection.execute("set memory_limit = '700MB'")
            connection.execute(f"load '{base}/postgres_scanner.duckdb_extension'")
            connection.execute(f"attach '{url}' as base (type postgres, read_only)")
            table = SELECT.replace("from persons", "from base.public.persons")
            connection.execute(
                f"copy ({table}) to '{folder}/persons.parquet'"
                " (format parquet, compression zstd)"
            )
        return
    sys.exit("duckdb-extension-postgres-scanner is not installed")


if __name__ == "__main__":
    main()
