"""The version of the code that decides: what a run's tables hang on, and no more.

How a result is published, proven, explained or compared changes none of it, and neither
does a word for people: such a change gives no run another id.
"""

import json
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from komek import __version__
from komek.base import places
from komek.base.files import named_sha256

_ROOMS = ("base", "landing", "runs", "checks")
_SUITES = ("door", "result", "shared")
# Of dbt's files: documentation, unit tests and exposures are not read in a run.
_READ_IN_A_RUN = ("models", "seeds", "sources")


def code_version() -> str:
    """Return the package's version and a hash of the code that decides."""
    contents = {
        path.relative_to(places.PROJECT).as_posix(): content
        for path, content in _deciding()
    }
    return f"{__version__}+{named_sha256(contents)[:12]}"


def _deciding() -> Iterator[tuple[Path, bytes]]:
    """Yield each file that decides or checks, and what in it does."""
    package, project = places.PACKAGE, places.DBT_PROJECT
    sources = [package / "pipeline.py", places.PROJECT / "requirements.txt"]
    for room in _ROOMS:
        sources += (package / room).rglob("*.py")
    for folder in ("macros", "models", "tests"):
        sources += (project / folder).rglob("*.sql")
    for path in sources:
        yield path, path.read_bytes()
    for path in (project / "dbt_project.yml", project / "profiles.yml"):
        yield path, _canonical(_read(path))
    for folder in ("models", "seeds"):
        for path in (project / folder).rglob("*.yml"):
            kept = {k: v for k, v in _read(path).items() if k in _READ_IN_A_RUN}
            if kept:
                yield path, _canonical(_without(kept, {"description"}))
    for folder in _SUITES:
        for path in (places.EXPECTATIONS / folder).glob("*.yml"):
            yield path, _canonical(_without(_read(path), {"reason"}))


def _read(path: Path) -> dict[str, Any]:
    return _parsed(path.read_bytes())


@cache
def _parsed(content: bytes) -> dict[str, Any]:
    """Parse a YAML; one process may begin many runs."""
    # In C: there are a hundred of them.
    read: dict[str, Any] = yaml.load(content, Loader=yaml.CSafeLoader)
    return read


def _canonical(content: object) -> bytes:
    """Return a YAML's content as one text, however it is laid out and commented."""
    return json.dumps(content, default=str).encode()


def _without(content: Any, words: Collection[str]) -> Any:  # noqa: ANN401
    """Return a YAML's content without what only people read."""
    if isinstance(content, dict):
        return {
            name: _without(value, words)
            for name, value in content.items()
            if name not in words
        }
    if isinstance(content, list):
        return [_without(value, words) for value in content]
    return content
