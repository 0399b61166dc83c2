"""The lineage as a graph: from registry to mart, by table and down to columns.

Which table reads which is in dbt's manifest of the run; which column is made of which,
in the lineage that was worked out of its SQL. Both lie among the run's reports.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from komek.base.places import Home
from komek.portal.files import NotThereError

LAYERS = ("landing", "reference", "law_tables", "staging", "facts", "law", "marts")
_ALIKE = {"reference": "landing", "law_tables": "landing"}
_BOX, _LINE, _GAP = 190, 22, 70
Columns = Mapping[str, Mapping[str, list[list[str]]]]


@dataclass(frozen=True)
class Graph:
    """A run's tables by name, what each reads, and what its columns are made of."""

    parents: Mapping[str, list[str]]
    described: Mapping[str, Mapping[str, Any]]
    columns: Columns

    def ancestors(self, table: str) -> set[str]:
        """Return a table and all that it stands on."""
        found, waiting = set(), [table]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.parents.get(one, [])
        return found

    def origins(self, table: str, column: str) -> list[tuple[str, str]]:
        """Return the columns of registries and law tables that a column is made of."""
        found, waiting, seen = set(), [(table, column)], set()
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            sources = self.columns.get(one[0], {}).get(one[1])
            if sources is None:
                found.add(one)
            waiting += [(name, source) for name, source in sources or []]
        return sorted(found - {(table, column)})


def graph_of(home: Home, run_id: str, code_version: str) -> Graph:
    """Return the graph of a run.

    Raises:
        NotThereError: its reports are not there.
    """
    manifest = home.report(run_id) / "dbt" / "manifest.json"
    columns = home.reports / "columns" / f"{code_version}.json"
    try:
        return _read(str(manifest), str(columns), manifest.stat().st_mtime_ns)
    except (OSError, ValueError):
        raise NotThereError from None


@lru_cache(maxsize=2)
def _read(manifest: str, columns: str, _changed: int) -> Graph:
    with open(manifest, encoding="utf-8") as file:  # noqa: PTH123
        said = json.load(file)
    with open(columns, encoding="utf-8") as file:  # noqa: PTH123
        of_columns = json.load(file)
    named, described = {}, {}
    for key, node in [*said["nodes"].items(), *said["sources"].items()]:
        if node["resource_type"] not in ("model", "seed", "source"):
            continue
        name = f"{node['schema']}.{node['name']}"
        if node["schema"] == "staging" and not node["name"].startswith("stg_"):
            continue
        named[key] = name
        described[name] = {
            "description": node.get("description", "").strip(),
            "columns": {
                column["name"]: column.get("description", "")
                for column in node.get("columns", {}).values()
            },
            "sql": node.get("raw_code", ""),
            "kind": node["resource_type"],
            "grain": node.get("config", {}).get("meta", {}).get("grain", []),
            "tests": sorted(
                test["name"]
                for test in said["unit_tests"].values()
                if test["model"] == node["name"]
            ),
        }
    parents: dict[str, list[str]] = defaultdict(list)
    for key, above in said["parent_map"].items():
        if key in named:
            parents[named[key]] = sorted({named[one] for one in above if one in named})
    return Graph(parents, described, of_columns)


def drawn(graph: Graph, table: str) -> Markup:
    """Return the graph of a table and all that it stands on, as SVG; each is a link."""
    layers: dict[str, list[str]] = defaultdict(list)
    for name in sorted(graph.ancestors(table)):
        layers[_layer(graph, name)].append(name)
    order = [layer for layer in LAYERS if layers[layer]]
    places = {
        name: (column * (_BOX + _GAP), row * (_LINE + 6))
        for column, layer in enumerate(order)
        for row, name in enumerate(layers[layer])
    }
    lines = [
        Markup('<path class="edge" d="M{} {} C{} {} {} {} {} {}"/>').format(
            x + _BOX,
            y + _LINE // 2,
            x + _BOX + _GAP // 2,
            y + _LINE // 2,
            u - _GAP // 2,
            v + _LINE // 2,
            u,
            v + _LINE // 2,
        )
        for name, (u, v) in places.items()
        for parent in graph.parents.get(name, [])
        if parent in places
        for x, y in [places[parent]]
    ]
    boxes = [
        Markup(
            '<a href="/auditor/lineage/{}"><g class="node {}{}"'
            ' transform="translate({},{})"><rect width="{}" height="{}" rx="3"/>'
            '<text x="7" y="15">{}</text></g></a>'
        ).format(
            name,
            _layer(graph, name),
            " chosen" if name == table else "",
            x,
            y,
            _BOX,
            _LINE,
            name.partition(".")[2],
        )
        for name, (x, y) in places.items()
    ]
    width = len(order) * (_BOX + _GAP) - _GAP
    height = max(len(names) for names in layers.values()) * (_LINE + 6)
    return Markup(
        '<svg class="graph" viewBox="-2 -2 {} {}" width="{}" role="group"'
        ' aria-label="{}">{}{}</svg>'
    ).format(
        width + 4,
        height + 4,
        width,
        table,
        Markup("").join(lines),
        Markup("").join(boxes),
    )


def _layer(graph: Graph, name: str) -> str:
    schema = name.partition(".")[0]
    described = graph.described.get(name, {})
    if schema == "law" and described.get("kind") == "seed":
        return "landing"
    schema = _ALIKE.get(schema, schema)
    return schema if schema in LAYERS else "landing"
