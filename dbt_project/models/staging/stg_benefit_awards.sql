{{ accepted_rows('benefit_awards') }}
