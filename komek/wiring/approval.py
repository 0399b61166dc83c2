"""Asking a person whether a run is to be published, for as long as that may take.

Who may answer stands in KOMEK_APPROVERS; whoever triggered the run may not. A question
that nobody answers ends: the run is filed, and the days after it go on.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowFailException

from komek.base.settings import scheduling
from komek.wiring import failing_in_one_line, step_of

# Past the end of the question, until its answer has been taken up.
_TAKEN_UP = timedelta(hours=2)


class Approval(HITLOperator):
    """Ask whether a run may be published.

    Its output says `approved_by` whom it was, or `kept_back` and why, and whether that
    is because it was `rejected`.
    """

    APPROVE = "Approve"
    REJECT = "Reject"

    template_fields: ClassVar[Sequence[str]] = (*HITLOperator.template_fields, "run")

    def __init__(self, *, run: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Prepare the question of a run; `run` is its id, from the task before."""
        self.run = run
        super().__init__(
            subject="Publish run {{ ti.xcom_pull(task_ids='check_result') }}?",
            options=[self.APPROVE, self.REJECT],
            response_timeout=timedelta(hours=scheduling().approval_hours),
            **kwargs,
        )

    def execute(self, context: Any) -> Any:  # noqa: ANN401  (Airflow's context)
        """Show what is to be approved, and wait."""
        from komek import scheduled

        dag_run = context["dag_run"]
        lease = timedelta(hours=scheduling().approval_hours) + _TAKEN_UP
        with step_of(
            self.run, dag_run, "approve", lease=lease, waits_for="approval"
        ) as home:
            self.body = scheduled.question(home, self.run)
        if self.body is None:
            print("nothing is to be approved: the run is filed, not published")
            return _answer(None, None)
        self.assigned_users = _may_answer(dag_run.triggering_user_name)
        return super().execute(context)

    def execute_complete(
        self,
        context: Any,  # noqa: ANN401  (Airflow's context)
        event: dict[str, Any],
    ) -> dict[str, Any]:
        """Return what was answered."""
        if event.get("error_type") == "timeout":
            return _answer(None, "not approved by anyone in time")
        given = super().execute_complete(context, event)
        user = given["responded_by_user"] or {}
        name = str(user.get("name") or user.get("id") or "nobody")
        if given["chosen_options"] == [self.APPROVE]:
            return _answer(name, None)
        return _answer(None, f"rejected by {name}") | {"rejected": True}


def _answer(approved_by: str | None, kept_back: str | None) -> dict[str, Any]:
    return {"approved_by": approved_by, "kept_back": kept_back, "rejected": False}


def _may_answer(triggered_by: str | None) -> Any:  # noqa: ANN401  (Airflow's users)
    """Return who may answer; None where nobody is named, and anyone may.

    Raises:
        AirflowFailException: nobody is left.
    """
    with failing_in_one_line():
        named = scheduling().approvers
    if not named:
        return None
    left = [name for name in named if name != triggered_by]
    if not left:
        raise AirflowFailException(
            f"nobody may approve: KOMEK_APPROVERS names only {triggered_by}, who has"
            " triggered the run"
        )
    return [{"id": name, "name": name} for name in left]
