{{ rejected_rows('deliveries') }}
