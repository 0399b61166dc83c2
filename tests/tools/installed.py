"""A server that a test needs, or a line that says what to install."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from servers import MissingError

Server = TypeVar("Server")


@contextmanager
def installed(server: AbstractContextManager[Server]) -> Iterator[Server]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(server)
        except MissingError as missing:
            pytest.skip(str(missing))
        yield started
