"""What dbt could not do, as an error of ours: one line, and nobody's data in it."""

from typing import TYPE_CHECKING, cast

from komek.base.errors import KomekError, StoppedError, UnwritableError, listed
from komek.base.messages import harmless_message, of_a_model, unwritten

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunnerResult


def raise_failure(outcome: "dbtRunnerResult") -> None:
    """Raise what failed of a command of dbt's, if anything did.

    Raises:
        StoppedError: a model ended the run, or a test failed.
        KomekError: dbt could not build a model, or read the project.
        UnwritableError, OSError: a file cannot be written.
    """
    if outcome.success:
        return
    if outcome.exception is not None:
        # Interrupted, or a file of the machine: that is not dbt's to tell.
        if isinstance(outcome.exception, OSError | KeyboardInterrupt):
            raise outcome.exception
        if reason := unwritten(str(outcome.exception)):
            raise UnwritableError(reason)
        raise KomekError(f"dbt: {_one_line(str(outcome.exception))}")
    failed = [
        result
        for result in cast("RunExecutionResult", outcome.result).results
        if result.status in ("error", "fail", "runtime error")
    ]
    for result in failed:
        if reason := unwritten(result.message or ""):
            raise UnwritableError(reason)
        if words := of_a_model(result.message or ""):
            raise StoppedError(f"{result.node.name}: {words}")
    tests = [result for result in failed if result.status == "fail"]
    if tests:
        raise StoppedError(
            listed([f"{test.node.name}: {test.failures} rows" for test in tests], "; ")
        )
    raise KomekError(
        listed(
            [
                f"dbt could not build {result.node.name}: {_one_line(result.message)}"
                for result in failed
            ],
            "; ",
        )
    )


def _one_line(message: str | None) -> str:
    return harmless_message(message or "")[:500]
