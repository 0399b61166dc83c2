"""Trying again what may pass, less and less often; what will not pass is not."""

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from komek.base import interrupts
from komek.base.say import Say
from komek.landing.received import Refused

_FIRST_SECONDS = 0.5
_MOST_SECONDS = 60.0
# A source that asks for more than this is tried again by the next pull.
_MOST_ASKED_SECONDS = 600.0
_Result = TypeVar("_Result")


class GivenUp(Refused):
    """Was tried, and will not be: the message says so."""


def trying(act: Callable[[], _Result], name: str, retries: int, say: Say) -> _Result:
    """Do something with a source, again where it fails for what may pass.

    Args:
        act: what to do.
        name: what is pulled, for people.
        retries: how often it is tried again.
        say: takes what failed.

    Raises:
        GivenUp: it failed for good, or too often; the message says which.
    """

    def tell(state: RetryCallState) -> None:
        failed = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0
        say(f"{name}: {failed}: trying again in {wait:.1f} s")
        interrupts.end_if_heard()

    retrying = Retrying(
        stop=stop_after_attempt(retries + 1),
        retry=retry_if_exception(_may_pass),
        wait=_wait,
        before_sleep=tell,
        reraise=True,
    )
    try:
        return retrying(act)
    except GivenUp:
        raise
    except Refused as error:
        tries = retrying.statistics.get("attempt_number", 1)
        told = f"tried {tries} times" if error.may_pass else "not tried again"
        raise GivenUp(f"{error} ({told})", error.name or name) from None


def _may_pass(error: BaseException) -> bool:
    return (
        isinstance(error, Refused)
        and error.may_pass
        and (error.wait or 0) <= _MOST_ASKED_SECONDS
    )


def _wait(state: RetryCallState) -> float:
    """Return how long to wait: twice as long each time, never at the same moment."""
    longest = min(_MOST_SECONDS, _FIRST_SECONDS * 2**state.attempt_number)
    failed = state.outcome.exception() if state.outcome else None
    asked = failed.wait if isinstance(failed, Refused) and failed.wait else 0.0
    return asked + random.uniform(longest / 2, longest)  # noqa: S311
