"""What other readings or figures of the law would change: `komek simulate`."""

from komek.simulate.text import render
from komek.simulate.what_if import simulate

__all__ = ["render", "simulate"]
