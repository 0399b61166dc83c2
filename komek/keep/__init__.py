"""Keeping a home: a copy of it elsewhere, and a home made of a copy."""
