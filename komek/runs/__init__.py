"""What a run is, what it is made from, and dbt on its file."""
