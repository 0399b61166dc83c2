{{ rejected_rows('benefit_awards') }}
