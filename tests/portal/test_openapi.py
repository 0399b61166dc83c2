"""Schemathesis on the API: whatever the document allows, and what it does not.

Asked with a region's token, and without one.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from visiting import Portal

SETTINGS = hypothesis.settings(
    max_examples=20, deadline=None, derandomize=True, database=None
)


def asked(
    operation: Any,
    regions: Sequence[str],
    given: dict[str, str],
    others: Collection[str],
    seen: set[int],
) -> Callable[[], None]:
    """Return what asks an operation many things; none may fail or show others.

    The statuses of its answers come into `seen`. A region's code nobody makes up: it is
    one of those there are, every other time.
    """

    @SETTINGS
    @hypothesis.given(
        case=operation.as_strategy(),
        region=st.one_of(st.none(), st.sampled_from(regions)),
    )
    def ask(case: schemathesis.Case, region: str | None) -> None:
        if region and "kato" in (case.path_parameters or {}):
            case.path_parameters["kato"] = region
            case.query = {}
        answer = case.call(headers=given)
        case.validate_response(answer, checks=[not_a_server_error])
        assert answer.status_code in (200, 404, 405, 422)
        seen.add(answer.status_code)
        assert not [iin for iin in others if iin in answer.text]
        case.headers = {}
        assert case.call().status_code in (401, 404, 405, 422)

    return ask


def test_nothing_fails_and_nothing_of_others_is_shown(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal.site.requests, "allows", lambda _who: True)
    token = portal.site.accounts.add_token(f"region:{portal.regions[0]}")[1]
    everybody = {iin for (iin,) in portal.ask("select iin from facts.people")}
    others = everybody - portal.people_of(portal.regions[0])
    assert len(others) > 50
    given = {"Authorization": f"Bearer {token}", "X-Reason": "a test"}
    api = schemathesis.openapi.from_asgi("/api/v1/openapi.json", portal.app)
    operations = [found.ok() for found in api.get_all_operations()]

    assert len(operations) >= 7
    seen: dict[str, set[int]] = {operation.label: set() for operation in operations}
    for operation in operations:
        asked(operation, portal.regions, given, others, seen[operation.label])()
    # Lists of what there is are shown; what must be guessed is not there, or malformed.
    assert {label for label, found in seen.items() if 200 in found} >= {
        "GET /api/v1/regions",
        "GET /api/v1/publications",
        "GET /api/v1/regions/{kato}/recipients",
    }
