"""Calls of the command in processes of their own that need not import anything.

Imports are most of what a small run takes. They are paid once for each worker: every
call is a fork of a server that has imported what a run does (warmed.py). What depends
on how Python starts (encodings, the locale) needs a start: subprocess.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 300.0  # seconds
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["warmed"])


def komek(
    *arguments: str,
    first: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    umask: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Call komek.

    Args:
        arguments: of the command.
        first: Python that runs before the command does, in its process.
        cwd: where it is called; None: here.
        env: its environment; None: ours.
        umask: its umask; None: ours.

    Returns:
        What `subprocess.run` would return.

    Raises:
        TimeoutExpired: it did not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "stdout"), Path(folder, "stderr")
        process = SERVER.Process(
            target=_called,
            args=(arguments, first, cwd or Path.cwd(), dict(env or os.environ), umask),
            kwargs={"said": said},
        )
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, PATIENCE)
        out, err = (path.read_text(encoding="utf-8") for path in said)
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _called(
    arguments: tuple[str, ...],
    first: str,
    cwd: Path,
    env: dict[str, str],
    umask: int | None,
    *,
    said: tuple[Path, Path],
) -> None:
    """Be the command: in the forked process."""
    for descriptor, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    if umask is not None:
        os.umask(umask)
    sys.argv = ["komek", *arguments]
    exec(first, {})
    from komek.cli import main  # noqa: PLC0415  (the server has it)

    main()
