"""The run that most explanations are of."""

import pytest

from called import Called
from explained_run import Built
from komek.publishing.publication import current_publication


@pytest.fixture(scope="session")
def nation(published_nation: Called) -> Built:
    """The small nation on 20 April; tests only read it."""
    publication = current_publication(published_nation.home)
    assert publication is not None
    return Built(published_nation.home, publication.run.run_id)
