{{ accepted_rows('benefit_payments') }}
