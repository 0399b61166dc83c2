{{ rejected_rows('persons') }}
