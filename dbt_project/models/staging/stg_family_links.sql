{{ accepted_rows('family_links') }}
