{{ rejected_rows('benefit_payments') }}
