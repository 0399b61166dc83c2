"""Who may answer whether a run is published, and what comes of each answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from komek import scheduled
from komek.wiring import approval
from komek.wiring.approval import Approval


class Asked:
    """A question, and what Airflow and the home were told when it was put."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[dict[str, Any]] = []
        self.steps: list[tuple[str, str, str | None, timedelta | None]] = []
        self.body: str | None = "| region |"

        @contextmanager
        def step_of(
            run: str, _dag_run: object, task: str, lease: timedelta, waits_for: str
        ) -> Iterator[str]:
            self.steps.append((run, task, waits_for, lease))
            yield "home"

        def write(**given: Any) -> None:
            self.written.append(given)

        monkeypatch.setattr(approval, "step_of", step_of)
        monkeypatch.setattr(hitl, "upsert_hitl_detail", write)
        monkeypatch.setattr(scheduled, "question", lambda _home, _run: self.body)
        self.operator = Approval(task_id="approve", run="r1")

    def put(self, triggered_by: str | None = None) -> Any:
        return self.operator.execute(
            {
                "dag_run": SimpleNamespace(triggering_user_name=triggered_by),
                "task_instance": SimpleNamespace(id="id"),
            }
        )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("KOMEK_APPROVERS", "aigerim, bolat")
    monkeypatch.setenv("KOMEK_APPROVAL_HOURS", "3")
    return Asked(monkeypatch)


def test_a_question_waits_for_those_who_may_answer(asked: Asked) -> None:
    with pytest.raises(TaskAwaitingInput) as waiting:
        asked.put(triggered_by="bolat")

    assert waiting.value.timeout == timedelta(hours=3)
    assert asked.written[0]["body"] == "| region |"
    assert asked.written[0]["assigned_users"] == [{"id": "aigerim", "name": "aigerim"}]
    # The home is the run's for as long as the question waits, and a little longer.
    assert asked.steps == [("r1", "approve", "approval", timedelta(hours=5))]


def test_where_nobody_is_named_anyone_may_answer(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOMEK_APPROVERS", "")
    with pytest.raises(TaskAwaitingInput):
        asked.put(triggered_by="bolat")

    assert asked.written[0]["assigned_users"] is None


def test_who_has_triggered_a_run_alone_may_not_approve_it(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOMEK_APPROVERS", "bolat")

    with pytest.raises(AirflowFailException, match="names only bolat, who has"):
        asked.put(triggered_by="bolat")


def test_what_would_only_be_filed_is_not_asked(asked: Asked) -> None:
    asked.body = None

    assert asked.put() == {"approved_by": None, "kept_back": None, "rejected": False}
    assert asked.written == []


def answered(option: str) -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": datetime.now(UTC),
        "responded_by_user": {"id": "1", "name": "aigerim"},
    }


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        (answered("Approve"), ("aigerim", None, False)),
        (answered("Reject"), (None, "rejected by aigerim", True)),
        (
            {"error": "the time is over", "error_type": "timeout"},
            (None, "not approved by anyone in time", False),
        ),
    ],
)
def test_what_comes_of_an_answer(
    asked: Asked, event: dict[str, Any], answer: tuple[object, ...]
) -> None:
    came = asked.operator.execute_complete({}, event)

    assert (came["approved_by"], came["kept_back"], came["rejected"]) == answer
