"""Writing a file whole or not at all."""

import os
from pathlib import Path


def put(path: Path, content: bytes) -> None:
    """Write a file: killed on the way, it leaves the old one or none.

    Its folder is made if needed. Only one process may write it at a time.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
