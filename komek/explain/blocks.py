"""A decision of a run on a person as an explanation shows it, or why there is none."""

from dataclasses import dataclass, field

from komek.explain.rows import Row

# Why nothing was decided, where there is no record to compare anything with.
_NO_RECORD = frozenset(
    {
        "no_edition",
        "no_list_drawn",
        "no_asp_membership",
        "asp_period_elsewhere",
        "no_child_term",
        "no_group_term",
        "no_carer_allowance",
        "not_the_parent",
        "no_jobseeker_case",
        "no_asp_award",
        "no_term",
        "no_candidate",
    }
)


@dataclass(frozen=True)
class Block:
    """A decision of the run, or why there is none: outcome `not_candidate`.

    Attributes:
        kind: the ground of p25, or the mart.
        table: the mart.
        key: the row's key in the lineage; of its own making where no row is.
        values: the mart's row, or what there is of one.
        cites: source rows, by their numbers in the run, where no lineage has any.
        record: the source row the decision names, of several that were weighed.
        beside: what the run has in other tables that the decision was compared with.
    """

    kind: str
    table: str
    key: str
    paragraph: str
    outcome: str
    reason: str | None
    values: Row
    cites: tuple[int | None, ...] = ()
    record: int | None = None
    beside: Row = field(default_factory=dict)

    @property
    def is_decided(self) -> bool:
        """Whether the run decided anything."""
        return self.outcome != "not_candidate"

    @property
    def compares(self) -> bool:
        """Whether there is a record whose values were compared with anything."""
        return self.is_decided or self.reason not in _NO_RECORD
