{{ rejected_rows('disability_terms') }}
