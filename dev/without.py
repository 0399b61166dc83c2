"""Take from a requirements file what another has: `without.py FILE OTHER`."""

import re
import sys
from pathlib import Path


def pinned(text: str) -> dict[str, str]:
    """Return the requirements of a compiled file, name to text with hashes."""
    found = (one for one in re.split(r"\n(?=\S)", text.strip()) if "==" in one)
    return {one.partition("==")[0]: one for one in found}


def main(file: Path, other: Path) -> None:
    """Write the file anew, without what the other has."""
    ours, theirs = (pinned(path.read_text(encoding="utf-8")) for path in (file, other))
    kept = [text for name, text in ours.items() if name not in theirs]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
