{{ accepted_rows('disability_terms') }}
