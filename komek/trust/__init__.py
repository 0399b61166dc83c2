"""Receipts and their chain, verification, retention, lineage events."""
