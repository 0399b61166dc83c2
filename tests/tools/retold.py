"""The law once more, in plain Python, from nothing but the rows of an explanation.

Written from the order, not from the models: what it gives for a decision must be what
the run decided.
"""

from told import reasons_of
from told_cases import Cases
from told_sets import Sets

__all__ = ["reasons_of", "retell"]


class Retold(Sets, Cases):
    """One decision, taken anew from its rows in the explanation."""


def retell(explanation: dict, decision: dict) -> tuple[dict, dict]:
    """Decide once more from an explanation's rows.

    Returns:
        What comes of it, by column, and what the run says in the same columns.
    """
    anew = getattr(Retold(explanation, decision), decision["table"])()
    said = {**decision["values"], **{n: decision[n] for n in ("outcome", "reason")}}
    return anew, {name: said[name] for name in anew}
