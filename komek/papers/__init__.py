"""The papers an office signs, sends and files, made from a publication on demand."""

from komek.papers.codes import Origin, code_of, is_code, origin_lines, resolve
from komek.papers.make import (
    KINDS,
    NATIONAL,
    Made,
    Request,
    default_folder,
    make,
    make_papers,
)
from komek.papers.source import Confirmation
from komek.papers.words import LANGUAGES

__all__ = [
    "KINDS",
    "LANGUAGES",
    "NATIONAL",
    "Confirmation",
    "Made",
    "Origin",
    "Request",
    "code_of",
    "default_folder",
    "is_code",
    "make",
    "make_papers",
    "origin_lines",
    "resolve",
]
