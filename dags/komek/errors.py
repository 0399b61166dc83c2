"""The ways a command may end other than well, and the exit status of each."""


class KomekError(Exception):
    """Anything that ends a command with one line for people instead of a traceback."""

    exit_code = 1


class UsageError(KomekError):
    """Wrong usage or configuration: the caller mends the call."""

    exit_code = 2


class StoppedError(KomekError):
    """Stopped by a check: nothing was published, what was published still stands.

    The message names the entity or table, the expectation and how many rows.
    """

    exit_code = 3
