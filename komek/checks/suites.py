"""What is expected, as data: the suite files of `expectations/`.

`door/` has a suite per registry, `result/` one per mart, `shared/` what many suites
have in common.

A suite file::

    name: asp_extensions              entity or mart
    table: marts.asp_extensions       what its expectations are about
    query: select ...                 where that is not the whole table: one row of
                                      counts, never a column of a register
    key: [mart.award_id]              of a mart: its grain, for $row_key
    lineage_key: [mart.iin]           what its lineage goes by, where not by its grain
    include: [grain, decision]        shared/<name>.yml
    expectations:
      - type: expect_no_rows          GX's own, or one of komek.checks.gx
        kwargs: {unexpected_rows_query: select 1 from $table as mart where ...}
        severity: critical            or warning
        meta:
          name: grain_is_unique       unique in the suite
          reason: why it must hold, for people
          paragraph: p12              where the order demands it
          scope: region               only the regions it fails in are blocked
          tolerance: true             --override goes on past it
          small_too: true             it stops small registries as well, not only warns
          rows: rows_received         column of `query`: how many rows it is about

In texts `$name` is a parameter, `$$` a dollar; `{$PARAMETER: name}` is GX's own way to
name one. At the door the parameters are the entity's key, columns and tolerances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Any, Literal

import yaml

from komek.base import grounds, places, registries
from komek.base.errors import UsageError
from komek.runs.landed_views import ROWS_PER_FILE

_SUITE_KEYS = {"name", "table", "query", "include", "expectations"}
_SUITE_KEYS |= {"key", "lineage_key"}
_EXPECTATION_KEYS = {"type", "kwargs", "severity", "meta"}
_META_KEYS = {"name", "reason", "paragraph", "scope", "tolerance", "small_too", "rows"}
_SEVERITIES = ("critical", "warning")
_SCOPES = ("run", "region")


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite file."""

    name: str
    type: str
    kwargs: dict[str, Any]
    severity: Literal["critical", "warning"]
    reason: str
    paragraph: str | None = None
    scope: Literal["run", "region"] = "run"
    tolerance: bool = False
    small_too: bool = False
    rows: str | None = None


@dataclass(frozen=True)
class Part:
    """Expectations about one table, or about what one query gives."""

    table: str
    query: str | None
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Suite:
    """What is expected of one registry or mart."""

    name: str
    parts: tuple[Part, ...]
    parameters: Mapping[str, Any]


def door_suites(folder: Path = places.EXPECTATIONS) -> tuple[Suite, ...]:
    """Read the suites of the door, one per entity of the registry table, internal too.

    Raises:
        UsageError: a suite file is missing or wrong.
    """
    return tuple(
        _suite(folder, folder / "door" / f"{entity.name}.yml", _about(entity))
        for entity in registries.every_entity()
    )


def result_suites(folder: Path = places.EXPECTATIONS) -> tuple[Suite, ...]:
    """Read the suites of the result, one per mart.

    Raises:
        UsageError: a suite file is wrong, or there is none.
    """
    files = sorted((folder / "result").glob("*.yml"))
    if not files:
        raise UsageError(f"no suite files in {folder / 'result'}")
    parameters = {
        "entities": [entity.name for entity in registries.every_entity()],
        "delivered": [entity.name for entity in registries.entities()],
        "delivered_count": len(registries.entities()),
        "grounds": list(grounds.codes()),
        # Whose every row has lineage: the marts of decisions.
        "decided": [
            file.stem for file in files if "decision" in _read(file).get("include", [])
        ],
        "rows_per_file": ROWS_PER_FILE,
    }
    return tuple(_suite(folder, file, parameters) for file in files)


def _about(entity: registries.Entity) -> dict[str, Any]:
    return {
        "entity": entity.name,
        "key": ", ".join(entity.key),
        "landed_columns": ["source_row", "malformed", *entity.column_names],
        **asdict(entity.tolerance),
    }


def _suite(folder: Path, file: Path, parameters: Mapping[str, Any]) -> Suite:
    content = _read(file)
    if content.get("name") != file.stem:
        raise UsageError(f"{file}: name must be {file.stem!r}")
    key = content.get("key", [])
    parameters = {
        "table": content.get("table", ""),
        "mart": file.stem,
        "row_key": _joined(key),
        "lineage_key": _joined(content.get("lineage_key", key)),
        "key_is_incomplete": " or ".join(f"{column} is null" for column in key),
        **parameters,
    }
    own = [content]
    parts = []
    for name in content.get("include", []):
        shared = _read(folder / "shared" / f"{name}.yml")
        if "table" in shared:
            parts.append(_part(file, [shared], parameters))
        else:
            own.append(shared)
    if "table" in content:
        parts.append(_part(file, own, parameters))
    names = [known.name for part in parts for known in part.expectations]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{file}: two expectations are named {name!r}")
    return Suite(name=file.stem, parts=tuple(parts), parameters=parameters)


def _joined(key: Sequence[str]) -> str:
    """Return SQL for the text of a key: its columns, as the lineage joins them."""
    return f"concat_ws('|', {', '.join(key)})"


def _part(
    file: Path, contents: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Part:
    about = contents[0]
    query = about.get("query")
    return Part(
        table=_filled(file, about["table"], parameters),
        query=None if query is None else _filled(file, query, parameters),
        expectations=tuple(
            _expectation(file, declared, parameters)
            for content in contents
            for declared in content.get("expectations") or []
        ),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        # In C: a run reads every suite twice.
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the suite {file}: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file}: a suite is a mapping")
    _refuse_unknown(file, content, _SUITE_KEYS)
    return content


def _expectation(
    file: Path, declared: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Expectation:
    _refuse_unknown(file, declared, _EXPECTATION_KEYS)
    meta = declared.get("meta") or {}
    _refuse_unknown(file, meta, _META_KEYS)
    for what, where in (("type", declared), ("name", meta), ("reason", meta)):
        if not where.get(what):
            raise UsageError(f"{file}: an expectation without {what}")
    expectation = Expectation(
        type=declared["type"],
        kwargs=_filled(file, declared.get("kwargs") or {}, parameters),
        severity=declared.get("severity", "critical"),
        **meta,
    )
    if expectation.severity not in _SEVERITIES:
        raise UsageError(
            f"{file}: {expectation.name}: severity is one of {_SEVERITIES}"
        )
    if expectation.scope not in _SCOPES:
        raise UsageError(f"{file}: {expectation.name}: scope is one of {_SCOPES}")
    return expectation


def _refuse_unknown(file: Path, found: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(found) - known):
        raise UsageError(f"{file}: unknown key {', '.join(unknown)}")


def _filled(file: Path, value: Any, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Fill in the parameters of a text, or of the texts in a list or mapping."""
    if isinstance(value, str):
        try:
            return Template(value).substitute(parameters)
        except (KeyError, ValueError) as error:
            raise UsageError(f"{file}: unknown parameter in {value!r}") from error
    if isinstance(value, list):
        return [_filled(file, item, parameters) for item in value]
    if isinstance(value, dict):
        named = value.get("$PARAMETER")
        if named is not None and named not in parameters:
            raise UsageError(f"{file}: unknown parameter {named!r}")
        return {name: _filled(file, item, parameters) for name, item in value.items()}
    return value
