{{ accepted_rows('asp_awards') }}
