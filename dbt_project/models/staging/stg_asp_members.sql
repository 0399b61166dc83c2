{{ accepted_rows('asp_members') }}
