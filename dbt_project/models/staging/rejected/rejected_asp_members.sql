{{ rejected_rows('asp_members') }}
