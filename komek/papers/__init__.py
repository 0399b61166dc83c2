"""The papers an office signs, sends and files, made from a publication on demand."""

from komek.papers.codes import Origin, code_of, is_code, origin_lines, resolve
from komek.papers.making import (
    KINDS,
    NATIONAL,
    Made,
    Request,
    default_folder,
    lines,
    make,
    make_papers,
    make_told,
)
from komek.papers.words import LANGUAGES

__all__ = [
    "KINDS",
    "LANGUAGES",
    "NATIONAL",
    "Made",
    "Origin",
    "Request",
    "code_of",
    "default_folder",
    "is_code",
    "lines",
    "make",
    "make_papers",
    "make_told",
    "origin_lines",
    "resolve",
]
