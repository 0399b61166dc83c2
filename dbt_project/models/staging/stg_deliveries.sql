{{ accepted_rows('deliveries') }}
