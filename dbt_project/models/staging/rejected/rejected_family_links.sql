{{ rejected_rows('family_links') }}
