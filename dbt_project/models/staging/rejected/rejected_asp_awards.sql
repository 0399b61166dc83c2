{{ rejected_rows('asp_awards') }}
