{{ accepted_rows('lists') }}
