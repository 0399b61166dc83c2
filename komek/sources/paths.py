"""What stands at a path such as `$.items` in an answer."""

from functools import cache
from typing import Any

from jsonpath_ng import JSONPath
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.parser import parse as _parse


def check_path(path: str) -> bool:
    """Say whether a text is a path."""
    try:
        _parsed(path)
    except (JSONPathError, ValueError, AttributeError):
        return False
    return path.startswith("$")


def at_path(document: object, path: str) -> Any:  # noqa: ANN401  (JSON is anything)
    """Return what stands at a path of a document, None where nothing does."""
    found = _parsed(path).find(document)
    return found[0].value if found else None


@cache
def _parsed(path: str) -> JSONPath:
    return _parse(path)
