"""Why a person was decided on as they were."""

from komek.explain.person import explain
from komek.explain.text import render

__all__ = ["explain", "render"]
