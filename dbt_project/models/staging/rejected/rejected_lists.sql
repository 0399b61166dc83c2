{{ rejected_rows('lists') }}
