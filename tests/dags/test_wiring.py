"""How a task fails: in one line, and without a row."""

import subprocess
import sys

import pytest

from komek.base.places import DAGS

FAILS = """
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
from komek.wiring import failing_in_one_line
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from komek.base.errors import (
    KomekError, Refusal, RefusedError, StoppedError, UsageError
)
try:
    with failing_in_one_line():
        {act}
except {kind} as error:
    assert error.__suppress_context__
    print(f"said: {{error}}")
"""


@pytest.mark.parametrize(
    ("act", "kind", "said"),
    [
        ("raise StoppedError('3 rows')", "AirflowFailException", "3 rows"),
        (
            "raise RefusedError([Refusal('kato', None, 'kato: cut off')], 0)",
            "AirflowException",
            "refused at landing: kato: cut off",
        ),
        ("raise UsageError('no such day')", "AirflowFailException", "no such day"),
        ("raise KomekError('disk full')", "AirflowException", "disk full"),
        (
            "duckdb.sql(\"select cast('870412300019' as date)\").fetchall()",
            "AirflowException",
            "Conversion Error (the rest may quote a row)",
        ),
    ],
)
def test_a_task_fails_in_one_line_that_quotes_no_row(
    act: str, kind: str, said: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAILS.format(act=act, kind=kind), str(DAGS)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stdout.splitlines()[-1:] == [f"said: {said}"], ended.stderr
