{{ accepted_rows('kato') }}
