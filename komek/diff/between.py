"""`komek diff`: what differs between two runs, and the one cause of each difference.

Compared are recipients (whatever sets they get) and their rows of the lists, awards
(extended or not, and their payouts by month), disability terms and examinations, the
steps of cases, and every finding. A cause is found by substitution: one
thing at a time in which the runs differ is taken from the second, in this order, and
the run computed again in a scratch home.

data      the snapshots, the lists published before and the working-day calendar
law       the law tables, and what of them is known on known_at
policy    the readings of the law set for the run
time      as_of, by the law that is in force on the earlier of the two days
law       what comes into force between the two days, if anything does
code      only today's is at hand: a run by other code is first computed again by
          today's, from all that was its own

The cause of a row that was added is the step in which it appeared for good; of one that
was removed or changed, the step that gave it what it has in the second run for good:
the last such step. So each difference has one cause, and the same two runs have the
same causes always. A step that cannot be computed (no value of law covers it) is taken
together with the next, under that one's name. Where both runs are by one same code that
is not today's, the steps are today's, and a difference that none of them shows is put
down to the first thing in which the runs differ.

Where the cause is time, what happened between the two days is told, as the source rows
have it: a birthday, a decision, a term that ran out, a day by which a step was due.

Where the cause is data, the changed rows are named: those among the lineage of the
difference that are not in both snapshots as they are; where there is none, those about
the same person. There may be none of either: the list of one can change by the row of
another.

It reads what is filed and computes in a scratch folder of its own: it waits for nobody
who writes.
"""

from datetime import date
from typing import Any

import duckdb

from komek.base import database, registries
from komek.base.errors import KomekError, UsageError, listed
from komek.base.files import writing_to
from komek.base.messages import harmless
from komek.base.places import Home
from komek.base.registries import Entity
from komek.base.say import Say, silent
from komek.diff.changes import changes_between
from komek.diff.law import law_moves
from komek.diff.moments import Days
from komek.diff.steps import CAUSES, Receipt, State, Work, differing, steps
from komek.runs import rerun
from komek.runs.inputs import inputs_from_json
from komek.runs.version import code_version
from komek.trust.receipts import read_receipt

# What a receipt says of a run that is compared, or computed again.
_COMPARED = {
    *("run_id", "as_of", "known_at", "code_version", "law_sha256"),
    *("inputs", "policy_overrides", "override"),
}


def diff(home: Home, first: str, second: str, say: Say = silent) -> dict[str, Any]:
    """Compare two filed runs; change nothing.

    Args:
        home: where both are filed.
        first: the run before.
        second: the run after.
        say: takes one line per part of the work, for people.

    Returns:
        Ready for JSON, amounts in tenge as text:

        - first, second: run_id, as_of, known_at, code_version of each;
        - differ: the causes there can be;
        - steps: the causes in the order in which they were substituted;
        - changes: table, what (person, award, term), key, region_kato, change (added,
          removed, changed), cause, columns (of the changed: column, before, after),
          sources (where the cause is data: entity, change, file and row before and
          after, found_by lineage or person), because (where it is time: event, on, the
          age of a birthday, entity);
        - sums: table, region_kato, cause, added, removed, changed, amount_change.

    Raises:
        UsageError: there is no such run.
        KomekError: a run cannot be read or computed.
    """
    before, after = _filed(home, first), _filed(home, second)
    today, differ = code_version(), differing(before, after)
    days = Days(*(date.fromisoformat(one["as_of"]) for one in (before, after)))
    try:
        moves = law_moves(home.run_file(second), days.first, days.second)
        if moves and "law" not in differ:
            differ = [cause for cause in CAUSES if cause in ("law", *differ)]
        with (
            writing_to(home),
            rerun.scratch_home(home, f"diff-{first}-{second}") as scratch,
        ):
            ends = [
                State(name, "", home.run_file(run_id))
                for name, run_id in (("first", first), ("second", second))
            ]
            chain = Work(home, scratch, say, before, after).computed(
                steps(before, after, today, law_moves=moves), ends
            )
            with database.connect(scratch.root / "diff.duckdb") as connection:
                return {
                    "first": _named(before),
                    "second": _named(after),
                    "differ": differ,
                    "steps": [state.cause for state in chain[1:]],
                    **changes_between(
                        connection,
                        ends,
                        chain,
                        differ,
                        _entities_apart(before, after),
                        days,
                    ),
                }
    except duckdb.Error as error:
        raise KomekError(
            f"cannot compare {first} with {second}: {harmless(error)}"
        ) from error


def _filed(home: Home, run_id: str) -> Receipt:
    if run_id not in set(home.run_ids()):
        raise UsageError(f"there is no run {run_id} in {home.root}")
    receipt = read_receipt(home, run_id)
    if lacking := sorted(_COMPARED - receipt.keys()):
        raise KomekError(
            f"the receipt of run {run_id} does not say {listed(lacking)}:"
            " komek verify finds what was changed"
        )
    return receipt


def _named(receipt: Receipt) -> dict[str, str]:
    names = ("run_id", "as_of", "known_at", "code_version")
    return {name: receipt[name] for name in names}


def _entities_apart(first: Receipt, second: Receipt) -> list[Entity]:
    """Return the registries of which two runs took other snapshots."""
    used = [
        {given.entity: given for given in inputs_from_json(receipt["inputs"]).snapshots}
        for receipt in (first, second)
    ]
    return [
        entity
        for entity in registries.every_entity()
        if used[0].get(entity.name) != used[1].get(entity.name)
    ]
