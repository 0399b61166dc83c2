"""Staging that may be taken from a run before: of the same bytes, and untouched."""

from pathlib import Path

from komek.base.errors import KomekError
from komek.base.files import sha256_or_none
from komek.base.places import Home
from komek.runs.inputs import Inputs, inputs_from_json
from komek.runs.version import code_version
from komek.trust.chain import path_below, read_chain
from komek.trust.receipts import read_receipt


def staged_before(home: Home, inputs: Inputs) -> Path | None:
    """Return the file of a filed run that has most of the staging a run needs.

    Whoever changed that file must not get into the runs after it: it is taken only with
    the bytes that the chain of receipts has of it. `komek verify` takes none.

    Args:
        home: where the runs are filed.
        inputs: of the run to be staged.

    Returns:
        Of several the last filed; None where no run has anything of it.
    """
    chain = read_chain(home)
    wanted = _snapshots_of(inputs)
    best: tuple[int, Path] | None = None
    for run_id in reversed([*dict.fromkeys(link.run_id for link in chain.links)]):
        link, file = chain.filed(home, run_id), home.run_file(run_id)
        if link is None or not file.is_file():
            continue
        same = len(wanted & _snapshots(home, run_id))
        if same <= (best[0] if best else 0):
            continue
        if sha256_or_none(file) == link.files[path_below(home, file)]:
            best = same, file
    return best[1] if best else None


def _snapshots_of(inputs: Inputs) -> set[tuple[object, ...]]:
    return {
        (given.entity, given.snapshot_date, given.revision, given.sha256)
        for given in inputs.snapshots
    }


def _snapshots(home: Home, run_id: str) -> set[tuple[object, ...]]:
    """Return what a run by today's code was staged from; nothing of any other."""
    try:
        receipt = read_receipt(home, run_id)
        if receipt["code_version"] != code_version():
            return set()
        return _snapshots_of(inputs_from_json(receipt["inputs"]))
    except (KomekError, KeyError, TypeError, ValueError):
        # A damaged receipt is for `komek verify` to tell.
        return set()
