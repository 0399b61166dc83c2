"""Column-level lineage of the models, from their compiled SQL as DuckDB reads it."""

import json
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from komek.base.files import put
from komek.base.places import Home
from komek.runs.parsed import kept_in

# Relation (schema.table) -> column -> the columns it is made of, as (relation, column).
Lineage = dict[str, dict[str, list[tuple[str, str]]]]
Schema = Mapping[str, Mapping[str, Mapping[str, str]]]


"""Schema -> table -> column -> type, of every relation of the run's file."""


def of_models(home: Home, code_version: str, manifest: Path, schema: Schema) -> Lineage:
    """Return which source columns each column of each model is made of.

    It depends on the code alone: worked out once per code version, then kept in the
    home, whose portal reads it, and with dbt's parse of the project, for other homes.
    What only sorts rows into quarantine (rejected_*, the profile) makes no value and is
    left out.

    Args:
        home: where reports are kept.
        code_version: of the run.
        manifest: dbt's manifest.json of the run, with compiled code.
        schema: what the relations of the run's file look like.
    """
    kept = home.reports / "columns" / f"{code_version}.json"
    found = _kept(kept)
    if found is None:
        found = _for_every_home(kept.name, manifest, schema)
        put(kept, json.dumps(found).encode())
    return {
        relation: {
            column: [(source, name) for source, name in sources]
            for column, sources in columns.items()
        }
        for relation, columns in found.items()
    }


def _kept(path: Path) -> Lineage | None:
    """Return what is kept in a file; None where there is none, or it is damaged."""
    with suppress(OSError, ValueError):
        found: Lineage = json.loads(path.read_text(encoding="utf-8"))
        return found
    return None


def _for_every_home(name: str, manifest: Path, schema: Schema) -> Lineage:
    """Return the lineage from where it is kept beside the project, or keep it there."""
    beside = kept_in()
    found = _kept(beside / name) if beside else None
    if found is None:
        found = _worked_out(manifest, schema)
        # Who cannot keep it works it out anew the next time; others may do the same.
        if beside:
            with suppress(OSError), tempfile.TemporaryDirectory(dir=beside) as folder:
                put(Path(folder, name), json.dumps(found).encode())
                Path(folder, name).replace(beside / name)
    return found


def _worked_out(manifest: Path, schema: Schema) -> Lineage:
    from sqlglot.schema import MappingSchema  # noqa: PLC0415  (slow, once per code)

    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    known = MappingSchema(dict(schema), dialect="duckdb")
    return {
        relation: of_query(sql, known)
        for node in nodes
        if node["resource_type"] == "model"
        and (sql := node.get("compiled_code"))
        and (table := node["name"]) in schema.get(node["schema"], {})
        and not (node["schema"] == "staging" and not table.startswith("stg_"))
        for relation in [f"{node['schema']}.{table}"]
    }


def of_query(sql: str, schema: Any) -> dict[str, list[tuple[str, str]]]:  # noqa: ANN401
    """Return, per output column of a query, the table columns its value is made of.

    What only filters, joins or orders is not part of a value, and not listed.

    Args:
        sql: as dbt compiled it.
        schema: sqlglot's own, or a `Schema`.
    """
    from sqlglot import exp, parse_one  # noqa: PLC0415  (slow, needed once per code)
    from sqlglot.lineage import lineage  # noqa: PLC0415

    # dbt names the database of the run's file in front; lineage is within it.
    local = re.sub(r'"[^".]+"\.("[^".]+"\."[^".]+")', r"\1", sql)
    nodes = lineage(
        None,
        parse_one(local, dialect="duckdb"),
        schema,
        dialect="duckdb",
        trim_selects=False,
        copy=False,
    )
    return {
        column: sorted(
            {
                (f"{leaf.source.db}.{leaf.source.name}", exp.to_column(leaf.name).name)
                for leaf in node.walk()
                if isinstance(leaf.source, exp.Table)
            }
        )
        for column, node in nodes.items()
    }
