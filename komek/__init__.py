"""Kömek: who gets a food set, what is extended, what is paid, and by which law."""

__version__ = "0.1.0"
