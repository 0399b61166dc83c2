"""`komek`, and `python -m komek`: an interrupt is heard before the rest is imported."""

import sys
from typing import TYPE_CHECKING

from komek.base import ending

if TYPE_CHECKING:
    import click


def main() -> None:
    """Run the command line and exit with the status it ends with."""
    sys.exit(ending.run(_command))


def _command() -> "click.Command":
    from komek.cli import cli  # noqa: PLC0415  (it takes most of a second)

    return cli


if __name__ == "__main__":
    main()
