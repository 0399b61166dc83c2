{{ accepted_rows('persons') }}
