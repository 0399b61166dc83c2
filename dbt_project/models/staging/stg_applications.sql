{{ accepted_rows('applications') }}
