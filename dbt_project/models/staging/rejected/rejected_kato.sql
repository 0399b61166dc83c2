{{ rejected_rows('kato') }}
