"""What differs between two runs, and the one cause of each difference."""

from komek.diff.between import diff
from komek.diff.text import render

__all__ = ["diff", "render"]
