{{ config(materialized='table') }}

{{ rejected_rows('deliveries') }}
