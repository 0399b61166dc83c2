"""The conditions of each decision in the order of the law, with what each compared.

What was decided, and by which condition, is the run's word: the reason it recorded says
which condition failed, those before it held and those after it were not reached. Which
conditions there are and in what order is the run's word too, where a model of the law
decides by the first that fails: its own table `law.conditions` has them. Here only the
values that a condition compares are put beside it, from the source rows.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from komek.explain import extensions, findings, food_set, grounds
from komek.explain.blocks import Block
from komek.explain.case import Case, Compare, Condition, Reasoned
from komek.explain.rows import as_json

# By the reason of each condition of the models of the law: what it compares.
COMPARED: Mapping[str, Mapping[str, Compare]] = {
    **grounds.COMPARED,
    **extensions.COMPARED,
}
# What makes a candidate stands in no model's list: it is asked before.
CANDIDATES: Mapping[str, str] = {
    "asp_extensions": "ends_outside_emergency",
    "disability_extensions": "ends_outside_window",
}
# The marts that no such list decides: what is compared for a row.
CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    **food_set.CONDITIONS,
    **extensions.CONDITIONS,
    **findings.CONDITIONS,
}
# What neither holds nor fails.
_UNDECIDED = {
    "pending": "pending",
    "open": "pending",
    "not_applicable": "not_applicable",
}


def conditions(case: Case) -> list[dict[str, Any]]:
    """Return a decision's conditions up to the one that decided it, and those after."""
    decided_by = case.decision["reason"]
    verdict, explained = _UNDECIDED.get(case.decision["outcome"], "holds"), []
    for reason, condition in _asked(case):
        if reason is not None and reason == decided_by:
            verdict = "fails"
        explained.append(_condition(reason, condition, verdict))
        if verdict == "fails":
            verdict = "not_reached"
    return explained


def told_as(block: Block, compared: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the words of a decision's reason, where one reason has several.

    Args:
        block: the decision.
        compared: its conditions.
    """
    if block.kind != "p25_4" or block.reason != "child_deceased":
        return block.reason
    failed = next((one for one in compared if one["verdict"] == "fails"), None)
    child = failed["observed"] if failed else {}
    if child.get("child_named") is False:
        return "child_not_named"
    return "child_died" if child.get("in_register") else "child_not_in_register"


def _asked(case: Case) -> list[Reasoned]:
    """Return the conditions in their order, the one that decided among them."""
    if case.kind not in CONDITIONS:
        return _listed(case)
    decided_by = case.decision["reason"]
    asked = CONDITIONS[case.kind](case)
    if decided_by is not None and decided_by not in {reason for reason, _ in asked}:
        asked.append((decided_by, Condition(decided_by)))
    return asked


def _listed(case: Case) -> list[Reasoned]:
    """Return the conditions of the run's own list that are asked in the case.

    One that is not known here is told by its reason, with nothing compared.
    """
    decided_by = case.decision["reason"]
    compared = COMPARED.get(case.kind, {})
    asked: list[Reasoned] = []
    reasons = (CANDIDATES.get(case.kind), *case.reasons, decided_by)
    for reason in filter(None, dict.fromkeys(reasons)):
        condition = compared[reason](case) if reason in compared else Condition(reason)
        if condition is None and reason == decided_by:
            condition = Condition(reason)
        if condition is not None:
            asked.append((reason, condition))
    return asked


def _condition(
    reason: str | None, condition: Condition, verdict: str
) -> dict[str, Any]:
    reached = verdict != "not_reached"
    return {
        "condition": condition.name,
        "reason": reason,
        "verdict": verdict,
        "observed": _as_json(condition.observed) if reached else {},
        "threshold": _as_json(condition.threshold),
        "rows": [row.tag for row in condition.rows if row is not None]
        if reached
        else [],
    }


def _as_json(values: Mapping[str, object]) -> dict[str, object]:
    return {name: as_json(value) for name, value in values.items()}
