"""Where each registry comes from: entries, not code; folders, databases, services."""
