"""What every room stands on: errors, places, registries, policies, files, DuckDB."""
